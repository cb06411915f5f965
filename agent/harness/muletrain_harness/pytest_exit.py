"""pytest's exit status where it says more than the tests do: a plugin found something wrong with all of them.

Such a plugin judges by what it saw, a threshold of coverage for instance. In a pod that ran the whole suite it
is right, and its word is a red result. One of several pods saw a part, and what a plugin makes of a part is not
true of the suite: that is a warning.
"""

import collections
import fnmatch
import io
import os
import sys

TAIL = 4096  # Characters kept of what pytest prints at its end.
TOLD = ("exitstatus", "testsfailed")
INTERNAL = ("_pytest", "pytest", "pluggy")


class Tail(io.TextIOBase):
    """Where pytest's terminal output goes."""

    def __init__(self):
        self._pieces = collections.deque()
        self._length = 0

    def write(self, text):
        self._pieces.append(text)
        self._length += len(text)
        while self._length - len(self._pieces[0]) >= TAIL:
            self._length -= len(self._pieces.popleft())
        return len(text)

    def restart(self):
        self._pieces.clear()
        self._length = 0

    def text(self):
        return "".join(self._pieces)[-TAIL:].strip()


class Exit:
    """Who, apart from pytest and its tests, made the status another one."""

    def __init__(self, tail):
        self._tail = tail
        self._modules = []

    def watch(self, session):
        """By its class: only the object itself knows who writes to its attributes."""
        noted = self._modules
        cls = type(session)

        def __setattr__(self, name, value):
            if name in TOLD and value and value != vars(self).get(name):
                noted.append(sys._getframe(1).f_globals.get("__name__") or "")
            cls.__setattr__(self, name, value)

        body = {"__setattr__": __setattr__, "__module__": cls.__module__}
        session.__class__ = type(cls)(cls.__name__, (cls,), body)

    def judgement(self, status, config):
        """Whose status it is, and what that is."""
        names = [_name(module, config) for module in self._modules if module.partition(".")[0] not in INTERNAL]
        return {
            "whose": " and ".join(dict.fromkeys(names)) or "pytest",
            "status": int(status),
            "printed": self._tail.text(),
        }


def fixture(judgement, prefix):
    """The red result of a plugin, as `fixture` tells it."""
    message = "%(whose)s has pytest end with exit status %(status)d, although no test is red" % judgement
    return {
        "id": "%sexit status of pytest: %s" % (prefix, judgement["whose"]),
        "class": None,
        "verdict": "failed",
        "reason": None,
        "failures": [
            {
                "kind": "failure",
                "exception": "ExitStatus",
                "message": message,
                "traceback": judgement["printed"],
                "subtest": None,
            }
        ],
        "tests": [],
    }


def warning(judgement):
    """The same of a pod that has seen a part of the suite."""
    # The beginning has to say it all: a terminal shows one line.
    text = (
        "exit status %(status)d of %(whose)s makes nothing red: it saw the tests of one pod and not the whole suite"
        % judgement
    )
    lines = (line.strip() for line in judgement["printed"].splitlines())
    said = next((line for line in lines if line.lower().startswith(("error", "fail"))), "")
    return "%s: %s" % (text, said) if said else text


def has_every_file(config, folder, collected):
    """Whether all files were collected that look like tests to pytest."""
    patterns, norecurse = config.getini("python_files"), config.getini("norecursedirs")
    for base in config.getini("testpaths") or [str(folder)]:
        for path, folders, files in os.walk(os.path.join(str(config.rootpath), base)):
            folders[:] = [name for name in folders if not any(fnmatch.fnmatch(name, one) for one in norecurse)]
            for name in files:
                is_test = any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
                if is_test and os.path.realpath(os.path.join(path, name)) not in collected:
                    return False
    return True


def _name(module, config):
    """Of the package that a plugin was installed with, such as `pytest-cov`."""
    top = module.partition(".")[0]
    for plugin, distribution in config.pluginmanager.list_plugin_distinfo():
        if getattr(plugin, "__name__", type(plugin).__module__).partition(".")[0] == top:
            return distribution.project_name
    return module

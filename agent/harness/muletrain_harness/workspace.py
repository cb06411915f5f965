"""The pod's private folders, and the variables by which everything in the pod finds the one that is its own."""

import os
import shutil
import tempfile

COVERAGE = "coverage"
REPORT = "report"
OWN = "workspace"

_base = None


def make():
    """Before any process is forked, so that all of them agree."""
    global _base
    _base = tempfile.mkdtemp(prefix="muletrain-")
    for name in (COVERAGE, REPORT, OWN):
        os.mkdir(path(name))


def path(*names):
    return os.path.join(_base, *names)


def environment(hello):
    """What tests and shell commands see of it."""
    return {"BUILD_ID": hello["run"], "WORKSPACE": path(OWN)}


def remove():
    shutil.rmtree(_base, ignore_errors=True)

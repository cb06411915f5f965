"""The tests a runner found, with what the scheduler needs to know of each class."""

import functools
import hashlib
import re
import sys
import unittest

from .failure import failure
from .loading import is_load_error, is_skipped_module, load_exception
from .places import locate


class Entry:
    """One test to run: its unique id, and the class it is scheduled with."""

    def __init__(self, id, test, group):
        self.id = id
        self.test = test
        self.group = group

    @property
    def unit(self):
        """What tells tests of one class from those of another."""
        return type(self.test)

    def as_fields(self):
        method = getattr(self.test, getattr(self.test, "_testMethodName", ""), None)
        return {"id": self.id, "tags": _tags(method)}

    def take_test(self):
        """The object to run. What stays, for another try, is a copy that never ran."""
        test, self.test = self.test, _copy(self.test)
        return test


class Inventory:
    """Entries in the order of a serial run, and the modules that could not be loaded."""

    def __init__(self, entries, errors):
        self.entries = entries
        self._errors = errors

    def runs(self, id):
        """The id of the entry that runs a test, which is its own where tests run one by one."""
        return id

    def of_app(self, app, ids):
        """What is left for one app: the tests `ids`, or all of it where that is None."""
        if ids is None:
            entries = [entry for entry in self.entries if entry.group.app == app]
        else:
            wanted = {self.runs(id) for id in ids}
            entries = [entry for entry in self.entries if entry.id in wanted]
        return Inventory(entries, [error for error in self._errors if error["app"] == app])

    def shuffled(self, seed):
        """Another order, the same wherever the seed is: phases, modules and classes stay together."""

        def rank(name):
            return hashlib.sha256(("%d:%s" % (seed, name)).encode("utf-8", "surrogatepass")).digest()

        groups = {}
        for entry in self.entries:
            if entry.group not in groups:
                fields = entry.group.as_fields()
                groups[entry.group] = (fields["phase"], rank(fields["module"]), rank(fields["id"]))
        entries = sorted(self.entries, key=lambda entry: groups[entry.group] + (rank(entry.id),))
        return Inventory(entries, self._errors)

    def as_fields(self):
        members = {}
        for entry in self.entries:
            members.setdefault(entry.group, []).append(entry)
        classes = [
            dict(group.as_fields(), tests=[entry.as_fields() for entry in entries])
            for group, entries in members.items()
        ]
        return {"classes": classes, "errors": self._errors}


class Group:
    """A class, as found in one module."""

    def __init__(self, id, cls, module, file, apps, phase, aliases):
        self.id = id
        self.app = apps.app_of(file)
        self._class = cls
        self._module = module
        self._absolute = file
        self._file = apps.relative(file)
        self._phase = phase
        self._aliases = aliases

    def as_fields(self):
        cls = self._class
        return {
            "id": self.id,
            "app": self.app,
            "module": self._module,
            "file": self._file,
            "line": line_of(cls, self._absolute),
            "phase": self._phase,
            "whole_module": _is_whole({self._module, cls.__module__}),
            "tags": _tags(cls),
            "databases": self._aliases,
            "bases": [_dotted(base) for base in cls.__mro__[1:] if base is not object],
        }


def survey(tests, origins, apps, reorder_by, connections, prefix):
    """The inventory of `tests`, in their order; `prefix` is what their ids begin with."""
    ids, class_ids, groups = Unique(prefix), Unique(prefix), {}
    entries, errors = [], []
    for test in tests:
        if is_load_error(test):
            errors.append(_load_error(test, ids, origins, apps))
            continue
        cls = type(test)
        module, file = _origin(test, origins)
        group = groups.get((cls, module))
        if group is None:
            phase = next((i for i, kind in enumerate(reorder_by) if issubclass(cls, kind)), len(reorder_by))
            aliases = _aliases(cls, connections)
            group = Group(class_ids.make(_dotted(cls)), cls, module, file, apps, phase, aliases)
            groups[cls, module] = group
        entries.append(Entry(ids.make(test.id()), test, group))
    return Inventory(entries, errors)


class Unique:
    """Tells things of the same id apart, in the order they come."""

    def __init__(self, prefix):
        self._prefix = prefix
        self._seen = {}

    def make(self, id):
        id = self._prefix + id
        self._seen[id] = count = self._seen.get(id, 0) + 1
        return id if count == 1 else "%s#%d" % (id, count)


def _copy(test):
    try:
        copy = object.__new__(type(test))
    except TypeError:  # A class that also derives from something built in.
        return test
    vars(copy).update(vars(test))
    return copy


def _load_error(test, ids, origins, apps):
    module, file = locate(test._testMethodName)
    if file is None:
        file = _file_of(origins.module_of(test) or "") or ""
    return {
        "id": ids.make(test.id()),
        "app": apps.app_of(file),
        "failures": [failure("error", load_exception(test))],
    }


def _origin(test, origins):
    """The module that loads the test again, and the file its class is defined in."""
    if is_skipped_module(test):
        module = test._testMethodName
        return module, locate(module)[1] or ""
    cls = type(test)
    module = origins.module_of(test) or cls.__module__
    is_generic = issubclass(cls, unittest.FunctionTestCase)
    return module, _file_of(module if is_generic else cls.__module__) or ""


def _file_of(module):
    return getattr(sys.modules.get(module), "__file__", None)


def _dotted(cls):
    return "%s.%s" % (cls.__module__, cls.__qualname__)


def line_of(cls, path):
    """Without `inspect`, which would parse the whole file for every class in it."""
    match = re.search(r"^[ \t]*class[ \t]+%s\b" % re.escape(cls.__name__), _source(path), re.M)
    return _source(path).count("\n", 0, match.start()) + 1 if match else None


@functools.lru_cache(maxsize=16)
def _source(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _is_whole(modules):
    names = ("setUpModule", "tearDownModule", "load_tests")
    return any(hasattr(sys.modules.get(module), name) for module in modules for name in names)


def _aliases(cls, connections):
    aliases = getattr(cls, "databases", None) or ()
    return sorted(connections) if aliases == "__all__" else sorted(aliases)


def _tags(tagged):
    return sorted(map(str, getattr(tagged, "tags", None) or ()))

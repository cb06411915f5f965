"""What pytest collected, as an inventory."""

import collections
import os
import sys

from .failure import class_name, clip, relative_in
from .inventory import Entry, Inventory, line_of
from .pytest_exit import has_every_file
from .pytest_reports import reason

DATABASE, TRANSACTIONAL, WITHOUT = range(3)  # In the order in which pytest-django runs them.
FLUSHING = {"transactional_db", "live_server", "django_db_reset_sequences"}
MODULE_FIXTURES = ("setUpModule", "tearDownModule", "setup_module", "teardown_module")


class Skipped:
    """A module or class that was skipped while it was collected: one test, as pytest counts it."""

    def __init__(self, nodeid, path, reason):
        self.nodeid = nodeid
        self.path = path
        self.reason = reason


class ItemEntry(Entry):
    """A test of pytest: its items can run any number of times."""

    @property
    def unit(self):
        return self.group

    def as_fields(self):
        tags = set() if isinstance(self.test, Skipped) else _tags(self.test, self.test.own_markers)
        return {"id": self.id, "tags": sorted(tags)}

    def take_test(self):
        return self.test


class Collection:
    """Stands where the suite of unittest stands elsewhere: the tests that are assigned."""

    def __init__(self, hello, apps, prefix):
        self._tests = []
        self._root = os.path.realpath(hello["root"])
        self._folder = os.path.realpath(os.path.join(hello["root"], hello["suite"]["path"]))
        self._apps = apps
        self._prefix = prefix
        self._reports = []
        self._exceptions = {}
        self._files = set()
        self._has_run = set()
        self._by_node = None

    def planned(self):
        return self._tests

    def note_run(self, item):
        self._has_run.add(id(item))

    def likely_next(self, item):
        """Of the tests that were not run, the one that shares most with this one; None where all were.

        Grants go by class, so what comes next in a serial run may have run already, and what has use for
        the same fixtures may stand elsewhere in its file.
        """
        if self._by_node is None:
            self._by_node = _by_node(self._tests)
        for node in reversed(item.listchain()[:-1]):
            left = self._by_node.get(id(node), ())
            while left and id(left[0]) in self._has_run:
                left.popleft()
            if left:
                return left[0]
        return None

    @property
    def has_errors(self):
        return any(report.failed for report in self._reports)

    def is_all_of(self, config):
        """Whether every file that looks like tests was collected, and not those of some apps alone."""
        collected = {os.path.realpath(os.path.join(str(config.rootpath), file)) for file in self._files}
        return has_every_file(config, self._folder, collected)

    # What is told while collecting.

    def note_exception(self, report, exception):
        self._exceptions[id(report)] = exception

    def note_report(self, report):
        if report.nodeid and "::" not in report.nodeid:
            self._files.add(report.nodeid)
        if not report.passed:
            self._reports.append(report)

    def find(self, session, labels):
        """The inventory of labels; empty for what pytest finds without any."""
        import pytest

        self._reports, self._exceptions = [], {}
        arguments = [self._argument(label) for label in labels] or None
        try:
            session.perform_collect(arguments)
        except pytest.UsageError as error:
            raise LookupError("pytest cannot find what it is asked for: %s" % error) from None
        namer = Namer(self._root, session.config.rootpath, self._prefix)
        return self._inventory(session.items, namer)

    def _inventory(self, items, namer):
        skipped = [report for report in self._reports if report.skipped]
        marks = [Skipped(report.nodeid, self._path_of(report, namer), reason(report)) for report in skipped]
        groups, entries = {}, {}
        for item in (*items, *marks):
            id = namer.id(item.nodeid)
            if id not in entries:
                node = item if isinstance(item, Skipped) else _owner(item)
                group = groups.setdefault(node.nodeid, ItemGroup(node, namer, self._apps))
                group.add(item)
                entries[id] = ItemEntry(id, item, group)
        errors = [self._error(report, namer) for report in self._reports if report.failed]
        return Inventory(list(entries.values()), errors)

    def _error(self, report, namer):
        exception = self._exceptions.get(id(report))
        cause = getattr(exception, "__cause__", None) or getattr(exception, "__context__", None) or exception
        text = clip(relative_in(report.longreprtext))
        return {
            "id": namer.id(report.nodeid) or "%scollection" % self._prefix,
            "app": self._apps.app_of(self._path_of(report, namer)),
            "failures": [
                {
                    "kind": "error",
                    "exception": class_name(type(cause)) if cause else "CollectError",
                    "message": clip(str(cause)) if cause else text.strip().rpartition("\n")[2],
                    "traceback": text,
                    "subtest": None,
                }
            ],
        }

    def _path_of(self, report, namer):
        return os.path.join(self._root, namer.path(report.nodeid.partition("::")[0]))

    def _argument(self, label):
        """As pytest takes it, whatever folder it was started in."""
        path, separator, inside = label.partition("::")
        for base in (self._root, self._folder):
            if os.path.exists(os.path.join(base, path)):
                return os.path.join(base, path) + separator + inside
        names = path.split(".")
        for count in range(len(names), 0, -1):
            for base in (self._folder, self._root):
                place = os.path.join(base, *names[:count])
                found = next((place + end for end in (".py", "") if os.path.exists(place + end)), None)
                if found is not None:
                    return "::".join([found, *names[count:]])
        return label


def _by_node(items):
    """The tests below each class, file and folder, in their order."""
    found = {}
    for item in items:
        for node in () if isinstance(item, Skipped) else item.listchain()[:-1]:
            found.setdefault(id(node), collections.deque()).append(item)
    return found


class Namer:
    """Ids of pytest, which count from its own root, as they count from the project's."""

    def __init__(self, root, pytest_root, prefix):
        between = os.path.relpath(os.path.realpath(str(pytest_root)), root).replace(os.sep, "/")
        self._between = "" if between == "." or between.startswith("..") else between + "/"
        self._prefix = prefix

    def path(self, nodeid):
        return self._between + nodeid

    def id(self, nodeid):
        return self._prefix + self.path(nodeid) if nodeid not in ("", ".") else ""


class ItemGroup:
    """A class of pytest, or a module for its functions."""

    def __init__(self, node, namer, apps):
        path = str(node.path)
        self.app = apps.app_of(path)
        self.id = namer.id(node.nodeid)
        self._node = node
        self._module = namer.path(node.nodeid.partition("::")[0])
        self._file = apps.relative(path)
        self._absolute = path
        self._phases = set()

    def add(self, item):
        self._phases.add(WITHOUT if isinstance(item, Skipped) else phase(item))

    def as_fields(self):
        cls = getattr(self._node, "cls", None) or getattr(self._node, "obj", None)
        is_class = isinstance(cls, type)
        module = getattr(self._node, "module", None)
        tags = set() if isinstance(self._node, Skipped) else _tags(cls, self._node.iter_markers())
        return {
            "id": self.id,
            "app": self.app,
            "module": self._module,
            "file": self._file,
            "line": line_of(cls, self._absolute) if is_class else None,
            # What flushes databases comes last, whatever else its class or module holds.
            "phase": TRANSACTIONAL if TRANSACTIONAL in self._phases else min(self._phases),
            "whole_module": any(hasattr(module, name) for name in MODULE_FIXTURES),
            "tags": sorted(tags),
            "databases": sorted(_databases(self._node, cls)),
            "bases": [class_name(base) for base in cls.__mro__[1:] if base is not object] if is_class else [],
        }


def phase(item):
    """By the same signs as pytest-django, which has sorted the items by then."""
    fixtures = set(getattr(item, "fixturenames", ()))
    mark = item.get_closest_marker("django_db")
    wishes = mark.kwargs if mark else {}
    is_case, is_transactional = (issubclass(getattr(item, "cls", None) or object, kind) for kind in _cases())
    if is_case:
        return DATABASE
    if is_transactional or wishes.get("transaction") or wishes.get("reset_sequences"):
        return TRANSACTIONAL
    if mark and mark.args[:1] == (True,) or fixtures & FLUSHING:
        return TRANSACTIONAL
    return DATABASE if mark or "db" in fixtures else WITHOUT


def _cases():
    """Django's two classes, or what no class derives from."""
    test = sys.modules.get("django.test")
    return (test.TestCase, test.TransactionTestCase) if test else ((), ())


def _owner(item):
    """The innermost class, or the file."""
    import pytest

    return item.getparent(pytest.Class) or item.getparent(pytest.File) or item.parent


def _tags(tagged, markers):
    """Marks of pytest, and tags of Django."""
    own = {mark.name for mark in markers} - {"parametrize", "usefixtures"}
    return own | set(map(str, getattr(getattr(tagged, "obj", tagged), "tags", None) or ()))


def _databases(node, cls):
    if isinstance(node, Skipped):
        return ()
    mark = node.get_closest_marker("django_db")
    wanted = mark.kwargs.get("databases") if mark else getattr(cls, "databases", None)
    if wanted is None:
        return ("default",) if mark else ()
    return ("__all__",) if wanted == "__all__" else wanted if isinstance(wanted, (list, tuple, set, frozenset)) else ()


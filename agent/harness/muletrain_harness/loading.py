"""Watches a loader: where it found each test, and why a module could not be imported.

By a direct label, unittest names an import error by its last segment and lets errors other than
ImportError, and skips, end the run; here both look as they do in discovery, so that a module is one
item however it is asked for.
"""

import contextlib
import sys
import unittest
import unittest.loader

from .places import locate
from .replacing import replaced


class Origins:
    """The module in which each loaded test was found."""

    def __init__(self):
        self._found = {}

    def add(self, suite, module):
        """The innermost loader call wins: a package's `load_tests` often calls discovery itself."""
        for test in flatten(suite):
            self._found.setdefault(id(test), (test, module))

    def module_of(self, test):
        """None for a test that no module gave, such as one loaded by its own name."""
        _, module = self._found.get(id(test), (None, None))
        return module


def flatten(suite):
    """The tests of a suite, of any depth."""
    try:
        members = iter(suite)
    except TypeError:
        yield suite
        return
    for member in members:
        yield from flatten(member)


@contextlib.contextmanager
def recorded(loader, origins):
    """While this lasts, `origins` learns of every test that `loader` loads."""
    from_module, from_name = loader.loadTestsFromModule, loader.loadTestsFromName

    def load_from_module(module, *args, **kwargs):
        suite = from_module(module, *args, **kwargs)
        origins.add(suite, module.__name__)
        return suite

    def load_from_name(name, module=None):
        try:
            suite = from_name(name, module)
        except unittest.SkipTest as skip:
            suite = unittest.loader._make_skipped_test(_module(name), skip, loader.suiteClass)
        except (Exception, SystemExit):
            suite, _ = unittest.loader._make_failed_import_test(_module(name), loader.suiteClass)
        for test in flatten(suite):
            if is_load_error(test):
                test._testMethodName = _full_name(test._testMethodName, name)
        return suite

    with contextlib.ExitStack() as stack:
        stack.enter_context(replaced(loader, "loadTestsFromModule", load_from_module))
        stack.enter_context(replaced(loader, "loadTestsFromName", load_from_name))
        make_failed = _with_cause(unittest.loader._make_failed_import_test)
        stack.enter_context(replaced(unittest.loader, "_make_failed_import_test", make_failed))
        yield origins


def is_load_error(test):
    return isinstance(test, unittest.loader._FailedTest)


def is_skipped_module(test):
    """A module that raised SkipTest: unittest makes up a class for each."""
    cls = type(test)
    return cls.__name__ == "ModuleSkipped" and cls.__module__ == unittest.loader.__name__


def load_exception(test):
    """What kept a module from being loaded, rather than unittest's account of it."""
    return test._exception.__cause__ or test._exception


def _with_cause(make_failed_import_test):
    def make(name, suite_class):
        suite, message = make_failed_import_test(name, suite_class)
        for test in flatten(suite):
            test._exception.__cause__ = sys.exc_info()[1]
        return suite, message

    return make


def _module(label):
    return locate(label)[0] or label


def _full_name(name, label):
    """`test_cart` as `shop.tests.test_cart`, where that is the module that failed."""
    module = _module(label)
    while module and module.rpartition(".")[2] != name:
        module = module.rpartition(".")[0]
    return module or name

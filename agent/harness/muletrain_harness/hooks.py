"""Where a suite and its result object let a watch in.

unittest's suite calls, for every test and in this order: `_tearDownPreviousClass`,
`_handleModuleFixture` (in it `_handleModuleTearDown`), `_handleClassSetUp`, the test itself. Those
calls tell the parts apart: a result object hears nothing of fixtures that succeed, and Django tells
it of errors in `_pre_setup` before `startTest` and of those in `_post_teardown` after `stopTest`.
"""

import functools
import io
import unittest.runner


def attach(watch, suite):
    """Both objects keep their classes and their ways: only attributes of these two instances change."""
    run = suite.run

    def watched_run(result, *args, **kwargs):
        _listen(watch, result)
        with watch.run():
            return run(result, *args, **kwargs)

    suite.run = watched_run
    if hasattr(suite, "_handleClassSetUp"):
        _attach_to_fixtures(watch, suite)


def _attach_to_fixtures(watch, suite):
    tear_down_class, tear_down_module = suite._tearDownPreviousClass, suite._handleModuleTearDown
    set_up_module, set_up_class = suite._handleModuleFixture, suite._handleClassSetUp

    def watched_tear_down_class(test, result):
        watch.settle()
        previous = _previous_class(result)
        if previous is None or previous is type(test):
            return tear_down_class(test, result)
        with watch.class_fixture("tearDownClass", previous, test):
            return tear_down_class(test, result)

    def watched_tear_down_module(result):
        module = getattr(_previous_class(result), "__module__", None)
        with watch.module_fixture("tearDownModule", module, None):
            return tear_down_module(result)

    def watched_set_up_module(test, result):
        module = type(test).__module__
        if getattr(_previous_class(result), "__module__", None) == module:
            return set_up_module(test, result)
        with watch.module_fixture("setUpModule", module, test):
            return set_up_module(test, result)

    def watched_set_up_class(test, result):
        if _previous_class(result) is type(test) or getattr(result, "_moduleSetUpFailed", False):
            set_up_class(test, result)
        else:
            with watch.class_fixture("setUpClass", type(test), test):
                set_up_class(test, result)
        is_blocked = getattr(type(test), "_classSetupFailed", False)
        if not is_blocked and not getattr(result, "_moduleSetUpFailed", False):
            watch.begin(test)

    suite._tearDownPreviousClass = watched_tear_down_class
    suite._handleModuleTearDown = watched_tear_down_module
    suite._handleModuleFixture = watched_set_up_module
    suite._handleClassSetUp = watched_set_up_class


def _previous_class(result):
    return getattr(result, "_previousTestClass", None)


def _listen(watch, result):
    def add_subtest(test, subtest, err):
        if err is not None:
            is_failure = issubclass(err[0], test.failureException)
            watch.failed(subtest, "failed" if is_failure else "error", err[1])

    handlers = {
        "startTest": watch.begin,
        "addSuccess": lambda test: watch.ended(test, "passed"),
        "addFailure": lambda test, err: watch.failed(test, "failed", err[1]),
        "addError": lambda test, err: watch.failed(test, "error", err[1]),
        "addSubTest": add_subtest,
        "addSkip": watch.skipped,
        "addExpectedFailure": lambda test, err: watch.ended(test, "expected_failure"),
        "addUnexpectedSuccess": lambda test: watch.ended(test, "unexpected_success"),
    }
    depth = [0]
    for name, handler in handlers.items():
        original = getattr(result, name, None)
        if original is not None:
            setattr(result, name, _heard(original, handler, depth))
    _silence(result)


def _heard(original, handler, depth):
    """Only the outermost call counts: many result classes tell one outcome by way of another."""

    @functools.wraps(original)
    def heard(*args, **kwargs):
        if depth[0] == 0:
            handler(*args, **kwargs)
        depth[0] += 1
        try:
            return original(*args, **kwargs)
        finally:
            depth[0] -= 1

    return heard


class Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


def _silence(result):
    """Dots would land in the tests' output, `buffer` would hide it, and stopping is not ours to decide."""
    result.buffer = False
    result.failfast = False
    if hasattr(result, "stream"):
        result.stream = unittest.runner._WritelnDecorator(Nowhere())

"""A Django test runner that writes down the verdict of every test of one serial run.

`serial-verdicts` puts this module on the path and passes it as `--testrunner`. It extends the project's own
runner, knows nothing of muletrain's harness, and serves as the oracle that muletrain's results are compared with.
"""

import itertools
import json
import os
import random
import unittest

from django.conf import settings
from django.test.runner import DiscoverRunner, iter_test_cases
from django.utils.module_loading import import_string

WORST_FIRST = ("error", "failed", "unexpected_success", "expected_failure", "skipped", "passed")


class Recorder:
    """What unittest said about each test, in whatever order it said it.

    Verdicts are settled after the run: Django reports some errors before a test has started (setting up its
    database) and some after it has stopped (checking foreign keys).
    """

    def __init__(self, planned):
        self.planned = planned
        self.outcomes = {id(test): set() for test in planned}
        self.fixtures = {}

    def add(self, test, outcome):
        test = getattr(test, "test_case", test)  # a subtest speaks for its test
        if id(test) in self.outcomes:
            self.outcomes[id(test)].add(outcome)
        else:
            self.fixtures[test.id()] = worst({outcome, self.fixtures.get(test.id(), outcome)})

    def verdicts(self):
        found = {name: outcome for name, outcome in self.fixtures.items() if outcome != "skipped"}
        seen = {}
        for test in self.planned:
            name = test.id()
            seen[name] = seen.get(name, 0) + 1
            key = name if seen[name] == 1 else f"{name}#{seen[name]}"
            found[key] = worst(self.outcomes[id(test)]) or self.fate_of_fixture(test)
        return found

    def fate_of_fixture(self, test):
        """Of a test that never started: its class or module fixture skipped it, or broke."""
        case = type(test)
        for name in (f"setUpModule ({case.__module__})", f"setUpClass ({case.__module__}.{case.__qualname__})"):
            if name in self.fixtures:
                return "skipped" if self.fixtures[name] == "skipped" else "not_run"
        return "not_run"


def worst(outcomes):
    return next((outcome for outcome in WORST_FIRST if outcome in outcomes), None)


def recording(result_class, recorder):
    """`result_class`, telling the recorder all it hears."""

    class RecordingResult(result_class):
        def addSuccess(self, test):
            super().addSuccess(test)
            recorder.add(test, "passed")

        def addFailure(self, test, err):
            super().addFailure(test, err)
            recorder.add(test, "failed")

        def addError(self, test, err):
            super().addError(test, err)
            recorder.add(test, "error")

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            recorder.add(test, "skipped")

        def addExpectedFailure(self, test, err):
            super().addExpectedFailure(test, err)
            recorder.add(test, "expected_failure")

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            recorder.add(test, "unexpected_success")

        def addSubTest(self, test, subtest, err):
            super().addSubTest(test, subtest, err)
            if err is not None:
                recorder.add(test, "failed" if issubclass(err[0], test.failureException) else "error")

    return RecordingResult


def project_runner():
    runner = import_string(settings.TEST_RUNNER)
    if not issubclass(runner, DiscoverRunner):
        raise SystemExit(f"serial-verdicts cannot record {settings.TEST_RUNNER}: it is no DiscoverRunner")
    return runner


def reordered(tests, bins, order):
    """The tests in another order that Django could have run them in: bins stay in place, classes together.

    Django's own `--shuffle` refuses projects with repeated ids.
    """
    classes = [list(members) for _, members in itertools.groupby(tests, type)]
    if order == "reverse":
        classes = [members[::-1] for members in classes[::-1]]
    elif order:
        dice = random.Random(int(order))
        dice.shuffle(classes)
        for members in classes:
            dice.shuffle(members)
    classes.sort(key=lambda members: bin_of(members[0], bins))
    return [test for members in classes for test in members]


def bin_of(test, bins):
    """The place of a test's class in Django's order: what failed to load, then `reorder_by`, then the rest."""
    if isinstance(test, unittest.loader._FailedTest):
        return -1
    return next((place for place, case in enumerate(bins) if isinstance(test, case)), len(bins))


class Runner(project_runner()):
    def run_suite(self, suite, **kwargs):
        tests = list(iter_test_cases(suite))
        self.recorder = Recorder(tests)
        suite = self.test_suite(reordered(tests, self.reorder_by, os.environ.get("SERIAL_VERDICTS_ORDER")))
        try:
            return super().run_suite(suite, **kwargs)
        finally:
            with open(os.environ["SERIAL_VERDICTS_FILE"], "w", encoding="utf-8") as file:
                json.dump(self.recorder.verdicts(), file, indent=1, sort_keys=True)
                file.write("\n")

    def get_resultclass(self):
        return recording(super().get_resultclass() or unittest.TextTestResult, self.recorder)

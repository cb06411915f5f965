"""Projects with runners of their own: every override stays in charge, every event is there."""

import pytest
from pod import Pod

TESTS = """
    import unittest
    from django.test import TestCase

    class Cart(TestCase):
        def test_fails(self):
            self.fail()

        def test_passes(self):
            pass

    class Plain(unittest.TestCase):
        def test_plain(self):
            pass
"""

VERDICTS = {"Cart.test_fails": "failed", "Cart.test_passes": "passed", "Plain.test_plain": "passed"}


@pytest.fixture
def runner(project):
    project.write("shop/tests.py", TESTS)

    def write(source):
        project.write("conf/runner.py", "import unittest\nfrom django.test.runner import DiscoverRunner\n")
        project.append("conf/runner.py", source)
        project.append("conf/settings.py", 'TEST_RUNNER = "conf.runner.Runner"\n')

    return write


def whole(project):
    with Pod(project) as pod:
        pod.whole()
        assert pod.ended() == 0
    return pod


RUNNERS = {
    "run_suite without super": """
        class Runner(DiscoverRunner):
            def run_suite(self, suite, **kwargs):
                return unittest.TextTestRunner(verbosity=2, failfast=True, buffer=True).run(suite)
        """,
    "run_suite with keyword arguments": """
        class Runner(DiscoverRunner):
            def run_suite(self, suite, extra=None, **kwargs):
                return super().run_suite(suite, extra=extra, **kwargs)
        """,
    "a result class": """
        class Result(unittest.TextTestResult):
            def addSubTest(self, test, subtest, err):
                super().addSubTest(test, subtest, err)

            def addError(self, test, err):
                self.addFailure(test, err)

        class Runner(DiscoverRunner):
            def get_resultclass(self):
                return Result
        """,
    "a text runner that makes and runs results its own way": """
        class TextRunner(unittest.TextTestRunner):
            def _makeResult(self):
                raise AssertionError("not used")

            def run(self, test):
                result = unittest.TestResult()
                test(result)
                return result

        class Runner(DiscoverRunner):
            test_runner = TextRunner

            def get_test_runner_kwargs(self):
                return {"verbosity": 2}
        """,
    "a suite class": """
        class Suite(unittest.TestSuite):
            def run(self, result, debug=False):
                print("own suite")
                return super().run(result, debug)

        class Runner(DiscoverRunner):
            test_suite = Suite
        """,
    "an older signature of build_suite": """
        class Runner(DiscoverRunner):
            def build_suite(self, test_labels=None, extra_tests=None, **kwargs):
                return super().build_suite(test_labels, **kwargs)
        """,
    "parallel and failfast by default": """
        class Runner(DiscoverRunner):
            def __init__(self, **kwargs):
                super().__init__(**dict(kwargs, parallel=4, failfast=True))
        """,
    "run_tests that exits itself as the command would": """
        class Runner(DiscoverRunner):
            def run_tests(self, test_labels, **kwargs):
                failures = super().run_tests(test_labels, **kwargs)
                assert failures == 1, failures
                return failures
        """,
    "a suite that is built twice": """
        class Runner(DiscoverRunner):
            def run_tests(self, test_labels, **kwargs):
                self.build_suite(test_labels)
                return super().run_tests(test_labels, **kwargs)
        """,
}


@pytest.mark.parametrize("name", RUNNERS)
def test_every_test_is_heard_of(project, runner, name):
    runner(RUNNERS[name])
    pod = whole(project)
    assert pod.verdicts() == VERDICTS
    assert pod.one("booted")["runner"] == "conf.runner.Runner"
    assert len(pod.finished("test_fails")["failures"]) == 1


def test_what_a_runner_prepares_is_there_for_the_tests(project, runner):
    runner(
        """
        from unittest import mock

        class Runner(DiscoverRunner):
            @classmethod
            def add_arguments(cls, parser):
                super().add_arguments(parser)
                parser.add_argument("--greeting", default="hello")

            def __init__(self, greeting=None, **kwargs):
                super().__init__(**kwargs)
                self.greeting = greeting

            def setup_databases(self, **kwargs):
                config = super().setup_databases(**kwargs)
                from django.db import connection
                connection.cursor().execute("create table greeting as select '%s' as text" % self.greeting)
                return config
        """
    )
    project.write(
        "shop/tests.py",
        """
        from django.db import connection
        from django.test import TestCase

        class Greeted(TestCase):
            def test_greeting(self):
                with connection.cursor() as cursor:
                    cursor.execute("select text from greeting")
                    self.assertEqual(cursor.fetchone(), ("hello",))
        """,
    )
    assert whole(project).verdicts() == {"Greeted.test_greeting": "passed"}


def test_labels_that_a_runner_puts_in_for_none(project, runner):
    runner(
        """
        class Runner(DiscoverRunner):
            def run_tests(self, test_labels, **kwargs):
                return super().run_tests(test_labels or ["shop.tests.Plain"], **kwargs)
        """
    )
    assert whole(project).verdicts() == {"Plain.test_plain": "passed"}


def test_a_runner_that_leaves_tests_out_is_not_green(project, runner):
    runner(
        """
        class Runner(DiscoverRunner):
            def run_suite(self, suite, **kwargs):
                return unittest.TestResult()
        """
    )
    with Pod(project) as pod:
        pod.whole()
        (failure,) = pod.one("failed")["failures"]
        assert failure["message"] == (
            "the project's runner ended without running 3 of 3 tests, shop.tests.Cart.test_fails the first"
        )
        assert pod.of("done") == pod.of("closed") == []


def test_a_runner_of_another_kind(project, runner):
    runner(
        """
        class Runner:
            def run_tests(self, test_labels):
                return 0
        """
    )
    with Pod(project) as pod:
        pod.whole()
        failed = pod.one("failed")
        assert failed["phase"] == "boot"
        assert failed["failures"][0]["message"] == (
            "TEST_RUNNER is conf.runner.Runner, which is not a django.test.runner.DiscoverRunner: "
            "the django adapter drives no other"
        )


def test_an_overridden_test_command(project, runner):
    runner("class Runner(DiscoverRunner): pass")
    project.write(
        "shop/management/commands/test.py",
        """
        from django.core.management.commands.test import Command as Test

        class Command(Test):
            def handle(self, *labels, **options):
                print("own command")
                return super().handle(*labels, **options)
        """,
    )
    project.write("shop/management/__init__.py", "")
    pod = whole(project)
    assert pod.verdicts() == VERDICTS
    assert "own command" in pod.one("ready")["output"]

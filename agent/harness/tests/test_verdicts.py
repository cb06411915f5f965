"""Every way in which a test can end, as one event."""

import pytest
from pod import Pod
from project import Project

TESTS = """
    import asyncio, sys, unittest
    from django.db import connection
    from django.test import Client, SimpleTestCase, TestCase, TransactionTestCase

    class Cart(TestCase):
        def test_passes(self):
            pass

        def test_fails(self):
            self.assertEqual(1, 2)

        def test_errs(self):
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("bad cart") from error

        @unittest.skip("later")
        def test_decorated_skip(self):
            pass

        def test_called_skip(self):
            self.skipTest("not here")

        @unittest.expectedFailure
        def test_expected(self):
            self.fail()

        @unittest.expectedFailure
        def test_unexpected(self):
            pass

        async def test_async(self):
            await asyncio.sleep(0)

        async def test_async_fails(self):
            self.fail("async")

        def test_exits(self):
            sys.exit(3)

        def test_several(self):
            self.addCleanup(lambda: 1 / 0)
            self.fail("body")

    class Subtests(SimpleTestCase):
        def test_all_pass(self):
            for i in range(2):
                with self.subTest(i=i):
                    pass

        def test_one_fails(self):
            for i in range(3):
                with self.subTest("item", i=i):
                    self.assertNotEqual(i, 1)

        def test_fails_and_errs(self):
            for i in range(2):
                with self.subTest(i=i):
                    self.assertEqual(1 // i, 2)

        def test_all_skipped(self):
            for i in range(2):
                with self.subTest(i=i):
                    self.skipTest("sub")

        def test_some_skipped(self):
            for i in range(2):
                with self.subTest(i=i):
                    if i:
                        self.skipTest("sub")

    class AroundCall(TransactionTestCase):
        @staticmethod
        def client_class(clients=[]):
            clients.append(Client())
            if len(clients) == 3:
                raise RuntimeError("before startTest")
            return clients[-1]

        def _fixture_teardown(self):
            super()._fixture_teardown()
            if "teardown" in self._testMethodName:
                raise RuntimeError("after stopTest")

        def test_clean(self):
            pass

        def test_error_in_post_teardown(self):
            pass

        def test_error_in_pre_setup(self):
            pass


    class NoDatabase(SimpleTestCase):
        def test_forbidden_query(self):
            connection.cursor()

    @unittest.skip("whole class")
    class Skipped(unittest.TestCase):
        def test_one(self):
            pass

    class Silent(unittest.TestCase):
        def run(self, result=None):
            pass

        def test_silent(self):
            self.fail()

    class Nasty(unittest.TestCase):
        def test_unprintable(self):
            class Unprintable(Exception):
                def __str__(self):
                    raise RuntimeError("no text")
            raise Unprintable

        def test_surrogate(self):
            print("\\udc80".encode("utf-8", "surrogateescape"))
            self.fail("lone \\udc80 and \\ud800")

        def test_huge(self):
            self.fail("x" * 2_000_000)

        def test_deep(self):
            def recurse():
                recurse()
            recurse()

        def test_chain(self):
            try:
                1 / 0
            except ZeroDivisionError:
                raise KeyError("while handling")

    class Isolated(unittest.IsolatedAsyncioTestCase):
        async def test_async(self):
            await asyncio.sleep(0)
"""

VERDICTS = {
    "Cart.test_passes": "passed",
    "Cart.test_fails": "failed",
    "Cart.test_errs": "error",
    "Cart.test_decorated_skip": "skipped",
    "Cart.test_called_skip": "skipped",
    "Cart.test_expected": "expected_failure",
    "Cart.test_unexpected": "unexpected_success",
    "Cart.test_async": "passed",
    "Cart.test_async_fails": "failed",
    "Cart.test_exits": "error",
    "Cart.test_several": "error",
    "Subtests.test_all_pass": "passed",
    "Subtests.test_one_fails": "failed",
    "Subtests.test_fails_and_errs": "error",
    "Subtests.test_all_skipped": "skipped",
    "Subtests.test_some_skipped": "skipped",
    "AroundCall.test_clean": "passed",
    "AroundCall.test_error_in_post_teardown": "error",
    "AroundCall.test_error_in_pre_setup": "error",
    "NoDatabase.test_forbidden_query": "failed",
    "Skipped.test_one": "skipped",
    "Silent.test_silent": "skipped",
    "Nasty.test_unprintable": "error",
    "Nasty.test_surrogate": "failed",
    "Nasty.test_huge": "failed",
    "Nasty.test_deep": "error",
    "Nasty.test_chain": "error",
    "Isolated.test_async": "passed",
}


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("verdicts"))
    project.write("shop/tests.py", TESTS)
    with Pod(project) as pod:
        yield pod.whole()


def test_every_verdict(pod):
    assert pod.verdicts() == VERDICTS


def test_a_good_pod_ends_with_the_sentinel_and_exit_code_zero(pod):
    closed = pod.events[-1]
    assert closed["type"] == "closed"
    assert closed["tests"] == len(pod.of("finished"))
    assert closed["peak_kib"] > 10_000
    assert pod.ended() == 0


def test_each_finished_follows_its_started(pod):
    running = None
    for event in pod.events:
        if event["type"] == "started":
            assert running is None
            running = event["test"]
        elif event["type"] == "finished":
            assert event["test"] == running
            assert event["seconds"] >= 0
            running = None


def test_a_failure_says_what_and_where(pod):
    (failure,) = pod.finished("test_fails")["failures"]
    assert failure["kind"] == "failure"
    assert failure["exception"] == "AssertionError"
    assert failure["message"] == "1 != 2"
    assert failure["subtest"] is None
    assert failure["traceback"].startswith("Traceback (most recent call last):\n")
    assert failure["traceback"].endswith("AssertionError: 1 != 2\n")
    assert 'File "/' not in failure["traceback"], "files of the project go by their path in it"
    assert "unittest/case.py" not in failure["traceback"]
    assert "muletrain_harness" not in failure["traceback"]


def test_chained_exceptions_are_kept(pod):
    (explicit,) = pod.finished("test_errs")["failures"]
    assert "KeyError: 'key'" in explicit["traceback"]
    assert "direct cause" in explicit["traceback"]
    (implicit,) = pod.finished("test_chain")["failures"]
    assert "ZeroDivisionError" in implicit["traceback"]
    assert "During handling" in implicit["traceback"]


def test_all_failures_of_a_test_are_kept(pod):
    kinds = [(f["kind"], f["exception"]) for f in pod.finished("test_several")["failures"]]
    assert kinds == [("failure", "AssertionError"), ("error", "ZeroDivisionError")]


def test_sys_exit_is_the_tests_own_error(pod):
    (failure,) = pod.finished("test_exits")["failures"]
    assert (failure["exception"], failure["message"]) == ("SystemExit", "3")


def test_subtests_fold_into_their_test(pod):
    (failure,) = pod.finished("test_one_fails")["failures"]
    assert failure["subtest"] == "[item] (i=1)"
    failures = pod.finished("test_fails_and_errs")["failures"]
    assert [(f["kind"], f["subtest"]) for f in failures] == [("error", "(i=0)"), ("failure", "(i=1)")]


def test_reasons_of_skips(pod):
    names = (
        "test_decorated_skip",
        "test_called_skip",
        "test_all_skipped",
        "Skipped.test_one",
        "test_passes",
        "test_silent",
    )
    reasons = [pod.finished(name)["reason"] for name in names]
    assert reasons == [
        "later",
        "not here",
        "sub",
        "whole class",
        None,
        "the test returned without an outcome",
    ]


def test_errors_around_the_call_belong_to_the_test(pod):
    (failure,) = pod.finished("test_error_in_pre_setup")["failures"]
    assert failure["message"] == "before startTest"
    (failure,) = pod.finished("test_error_in_post_teardown")["failures"]
    assert failure["message"] == "after stopTest"


def test_hostile_exceptions_cost_nothing_but_themselves(pod):
    (unprintable,) = pod.finished("test_unprintable")["failures"]
    assert unprintable["message"] == "<unprintable Unprintable>"
    assert unprintable["exception"].endswith("Unprintable")
    (surrogate,) = pod.finished("test_surrogate")["failures"]
    assert surrogate["message"] == "lone ? and ?"
    (huge,) = pod.finished("test_huge")["failures"]
    assert "characters left out" in huge["message"] and len(huge["message"]) < 300_000
    (deep,) = pod.finished("test_deep")["failures"]
    assert deep["exception"] == "RecursionError"

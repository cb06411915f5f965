"""Fixtures of classes and modules that fail or skip, and what becomes of their tests."""

import pytest
from pod import Pod
from project import Project

TESTS = """
    import unittest
    from django.test import TestCase

    class Healthy(TestCase):
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            print("set up")

        @classmethod
        def tearDownClass(cls):
            super().tearDownClass()
            print("tear down")

        def test_one(self):
            pass

    class SetUpClassFails(TestCase):
        @classmethod
        def setUpTestData(cls):
            print("before it failed")
            raise ValueError("no data")

        def test_one(self):
            pass

        def test_two(self):
            pass

    class SetUpClassSkips(TestCase):
        @classmethod
        def setUpClass(cls):
            raise unittest.SkipTest("no browser")

        def test_one(self):
            pass

        def test_two(self):
            pass

    class TearDownClassFails(unittest.TestCase):
        @classmethod
        def tearDownClass(cls):
            raise ValueError("still open")

        def test_one(self):
            pass

    class ClassCleanupFails(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.addClassCleanup(lambda: 1 / 0)

        def test_one(self):
            pass

    class TearDownClassSkips(unittest.TestCase):
        @classmethod
        def tearDownClass(cls):
            raise unittest.SkipTest("too late")

        def test_one(self):
            pass
"""

SET_UP_MODULE = """
    import unittest

    def setUpModule():
        raise %s

    class One(unittest.TestCase):
        def test_one(self):
            pass

    class Two(unittest.TestCase):
        def test_two(self):
            pass
"""

TEAR_DOWN_MODULE = """
    import unittest

    def tearDownModule():
        raise ValueError("left behind")

    class Last(unittest.TestCase):
        def test_last(self):
            pass
"""


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("fixtures"))
    project.write("shop/tests/test_classes.py", TESTS)
    project.write("shop/tests/test_fails.py", SET_UP_MODULE % "ValueError('no module')")
    project.write("shop/tests/test_skips.py", SET_UP_MODULE % "unittest.SkipTest('not today')")
    project.write("shop/tests/test_tear_down.py", TEAR_DOWN_MODULE)
    with Pod(project) as pod:
        yield pod.whole()


def fixture(pod, id):
    (event,) = [event for event in pod.of("fixture") if event["id"] == id]
    return event


def test_failing_set_up_class_names_the_tests_that_fall_with_it(pod):
    name = "shop.tests.test_classes.SetUpClassFails"
    event = fixture(pod, "setUpClass (%s)" % name)
    assert event["class"] == name
    assert event["verdict"] == "error"
    assert [failure["message"] for failure in event["failures"]] == ["no data"]
    assert event["tests"] == [name + ".test_one", name + ".test_two"]
    assert event["output"] == "before it failed\n"


def test_failing_set_up_module_takes_all_its_classes(pod):
    event = fixture(pod, "setUpModule (shop.tests.test_fails)")
    assert event["class"] is None
    assert event["tests"] == ["shop.tests.test_fails.One.test_one", "shop.tests.test_fails.Two.test_two"]


def test_failing_tear_downs_take_no_tests(pod):
    for id, message in (
        ("tearDownClass (shop.tests.test_classes.TearDownClassFails)", "still open"),
        ("tearDownClass (shop.tests.test_classes.ClassCleanupFails)", "division by zero"),
        ("tearDownModule (shop.tests.test_tear_down)", "left behind"),
    ):
        event = fixture(pod, id)
        assert (event["verdict"], event["tests"]) == ("error", [])
        assert [failure["message"] for failure in event["failures"]] == [message]
    assert pod.verdicts()["test_tear_down.Last.test_last"] == "passed"


def test_a_skip_in_a_fixture_skips_each_member(pod):
    skipped = {e["test"]: e["reason"] for e in pod.of("finished") if e["verdict"] == "skipped"}
    assert skipped == {
        "shop.tests.test_classes.SetUpClassSkips.test_one": "no browser",
        "shop.tests.test_classes.SetUpClassSkips.test_two": "no browser",
        "shop.tests.test_skips.One.test_one": "not today",
        "shop.tests.test_skips.Two.test_two": "not today",
    }


def test_a_skip_in_a_tear_down_is_a_skipped_fixture(pod):
    event = fixture(pod, "tearDownClass (shop.tests.test_classes.TearDownClassSkips)")
    assert (event["verdict"], event["reason"], event["tests"]) == ("skipped", "too late", [])


def test_every_planned_test_is_accounted_for_once(pod):
    planned = [t["id"] for c in pod.one("planned")["inventory"]["classes"] for t in c["tests"]]
    told = [event["test"] for event in pod.of("finished")]
    told += [test for event in pod.of("fixture") for test in event["tests"]]
    assert sorted(told) == sorted(planned)


def test_fixtures_that_pass_are_timed_with_their_prints(pod):
    (event,) = [e for e in pod.of("class") if e["class"].endswith(".Healthy")]
    assert event["output"] == "set up\ntear down\n"
    assert event["setup_seconds"] > 0 and event["teardown_seconds"] > 0


def test_system_exit_in_a_fixture_ends_the_pod_and_is_told(project):
    project.write(
        "shop/tests.py",
        """
        import sys, unittest

        class First(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                sys.exit(0)

            def test_one(self):
                pass

        class Second(unittest.TestCase):
            def test_two(self):
                pass
        """,
    )
    with Pod(project) as pod:
        pod.whole()
        event = pod.one("fixture")
        assert event["tests"] == ["shop.tests.First.test_one"]
        assert [failure["exception"] for failure in event["failures"]] == ["SystemExit"]
        assert pod.of("done") == [] and pod.of("failed") == []
        exited = pod.events[-1]
        assert (exited["type"], exited["status"], exited["running"]) == ("exited", 1, None)
        assert pod.ended() == 1

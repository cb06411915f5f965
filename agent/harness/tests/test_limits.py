"""Time limits of tests, classes, apps and runs: what is said once one is up, and what is left alone."""

import signal

import pytest
from pod import Pod

SLOW = "shop.tests.Slow"

TWO_CLASSES = """
    import re, time, unittest

    class Slow(unittest.TestCase):
        def test_a(self):
            time.sleep(0.4)

        def test_b(self):
            print("about to")
            %s

        def test_c(self):
            pass

        def test_d(self):
            pass

    class Slower(unittest.TestCase):
        def test_other(self):
            pass
"""

# It takes longer than anybody waits, in C and without letting the GIL go.
CATASTROPHE = "re.match('(a+)+$', 'a' * 64 + 'b')"


def over(project, source, **limits):
    """What a pod says in the end whose limit is up."""
    project.write("shop/tests.py", source)
    with Pod(project) as pod:
        pod.whole(**limits)
        assert pod.ended() == 1
    event, exited = pod.events[-2:]
    assert (exited["type"], exited["running"], exited["signal"]) == ("exited", None, signal.SIGKILL)
    return pod, event


@pytest.mark.parametrize("body", ["time.sleep(600)", CATASTROPHE])
def test_a_class_over_its_limit_takes_the_rest_of_its_tests_along(project, body):
    pod, timed_out = over(project, TWO_CLASSES % body, class_timeout=1.5)
    assert (timed_out["type"], timed_out["test"]) == ("timed_out", SLOW + ".test_b")
    assert (timed_out["limit_of"], timed_out["seconds"]) == ("class", 1.5)
    assert timed_out["tests"] == [SLOW + ".test_c", SLOW + ".test_d"]
    assert timed_out["output"] == "about to\n"
    assert "in test_b" in timed_out["stacks"]
    assert "Slow.test_a" in pod.verdicts()


def test_an_app_over_its_limit_takes_all_of_its_tests_along(project):
    _, timed_out = over(project, TWO_CLASSES % "time.sleep(600)", app_timeout=3.0, class_timeout=60.0)
    assert (timed_out["limit_of"], timed_out["seconds"]) == ("app", 3.0)
    assert timed_out["tests"] == [SLOW + ".test_c", SLOW + ".test_d", "shop.tests.Slower.test_other"]


def test_what_runs_when_the_time_of_the_run_is_up_is_told_with_its_stacks(project):
    source = TWO_CLASSES % "time.sleep(600)"
    limits = {"test_timeout": 60.0, "class_timeout": 60.0, "app_timeout": 60.0}
    pod, timed_out = over(project, source, run_timeout=90.0, time_left=3.0, **limits)
    assert (timed_out["type"], timed_out["test"]) == ("timed_out", SLOW + ".test_b")
    assert (timed_out["limit_of"], timed_out["seconds"], timed_out["tests"]) == ("run", 90.0, [])
    assert "in test_b" in timed_out["stacks"]
    assert timed_out["output"] == "about to\n"
    assert "Slow.test_a" in pod.verdicts()


def test_the_nearest_limit_is_the_one_that_is_told(project):
    source = TWO_CLASSES % "time.sleep(600)"
    _, timed_out = over(project, source, test_timeout=0.8, class_timeout=60.0, app_timeout=60.0)
    assert (timed_out["limit_of"], timed_out["seconds"], timed_out["tests"]) == ("test", 0.8, [])


FIXTURES = """
    import time, unittest

    class Slow(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            %s

        @classmethod
        def tearDownClass(cls):
            %s

        def test_a(self):
            pass

        def test_b(self):
            pass
"""


def test_a_class_over_its_limit_in_its_set_up(project):
    _, fixture = over(project, FIXTURES % ("time.sleep(600)", "pass"), class_timeout=0.5)
    assert (fixture["type"], fixture["tests"]) == ("fixture", [SLOW + ".test_a", SLOW + ".test_b"])
    (failure,) = fixture["failures"]
    assert failure["message"] == "the class's time limit of 0.5 s was up in setUpClass (%s)" % SLOW
    assert "in setUpClass" in failure["traceback"]


def test_a_fixture_that_lasts_until_the_time_of_the_run_is_up(project):
    source = FIXTURES % ("time.sleep(600)", "pass")
    _, fixture = over(project, source, run_timeout=90.0, time_left=3.0)
    (failure,) = fixture["failures"]
    assert failure["message"] == "the run's time limit of 90 s was up in setUpClass (%s)" % SLOW
    assert "in setUpClass" in failure["traceback"]


def test_a_class_over_its_limit_in_its_tear_down(project):
    pod, fixture = over(project, FIXTURES % ("pass", "time.sleep(600)"), class_timeout=0.5)
    assert (fixture["id"], fixture["tests"]) == ("tearDownClass (%s)" % SLOW, [])
    assert len(pod.verdicts()) == 2


@pytest.mark.parametrize(
    "file, source, phase, doing",
    [
        ("shop/tests.py", "import time\ntime.sleep(600)\n", "collect", "while test modules were loaded"),
        (
            "shop/migrations/0001_initial.py",
            "import time\ntime.sleep(600)\n",
            "databases",
            "while the databases were set up",
        ),
    ],
)
def test_an_app_over_its_limit_before_its_first_test(project, file, source, phase, doing):
    tests = "from django.test import TestCase\nclass One(TestCase):\n    def test(self): pass\n"
    project.write("shop/tests.py", tests)
    project.write(file, source)
    with Pod(project) as pod:
        pod.whole(app_timeout=2.0)
        assert pod.ended() == 1
    failed = pod.events[-2]
    assert (failed["type"], failed["phase"]) == ("failed", phase)
    (failure,) = failed["failures"]
    assert failure["message"] == "the app's time limit of 2 s was up " + doing
    assert "most recent call first" in failure["traceback"]


def test_no_phase_is_ended_because_the_time_of_the_run_is_up(project):
    project.write("shop/tests.py", "import time\ntime.sleep(0.6)\n")
    with Pod(project) as pod:
        pod.whole(run_timeout=90.0, time_left=0.1)
        assert pod.ended() == 0
    assert pod.events[-1]["type"] == "closed"


IN_TURN = """
    import time, unittest

    def setUpModule():
        time.sleep(0.4)

    class First(unittest.TestCase):
        def test(self):
            time.sleep(0.4)

    class Second(unittest.TestCase):
        def test(self):
            time.sleep(0.4)
"""


def test_every_class_has_its_own_time(project):
    project.write("shop/tests/test_one.py", IN_TURN)
    project.write("shop/tests/test_two.py", IN_TURN)
    with Pod(project) as pod:
        pod.whole(class_timeout=1.0, test_timeout=60.0)
        assert pod.ended() == 0
        assert [event["verdict"] for event in pod.of("finished")] == ["passed"] * 4


MEMORY = """
    import unittest

    class Hungry(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.held = b"x" * (80 << 20)

        @classmethod
        def tearDownClass(cls):
            del cls.held

        def test(self):
            pass

    class Modest(unittest.TestCase):
        def test(self):
            pass
"""


def test_every_class_has_its_own_peak_of_memory(project):
    project.write("shop/tests.py", MEMORY)
    with Pod(project) as pod:
        pod.whole()
        assert pod.ended() == 0
    hungry, modest = [event["peak_kib"] for event in pod.of("class")]
    assert hungry > modest + 60_000, "what was given back does not count for the next class"
    assert pod.one("closed")["peak_kib"] >= hungry, "the pod's peak is that of all its classes"


STOPPED = """
    import sys, time, unittest

    class Clock(unittest.TestCase):
        def test_a_stops_it_wherever_it_is_named(self):
            real, stopped = time.monotonic, lambda: 0.0
            for module in [time, *sys.modules.values()]:
                for name, value in list(vars(module).items()):
                    if value is real:
                        setattr(module, name, stopped)
            time.time = stopped

        def test_b(self):
            self.assertEqual(time.monotonic(), 0.0)
"""


def test_a_clock_that_a_test_stops_is_its_own(project):
    project.write("shop/tests.py", STOPPED)
    with Pod(project) as pod:
        pod.whole(class_timeout=60.0, app_timeout=60.0)
    assert pod.events[-1]["type"] == "closed"
    for name in ("test_a_stops_it_wherever_it_is_named", "test_b"):
        finished = pod.finished(name)
        assert finished["verdict"] == "passed" and 0 < finished["seconds"] < 30


def test_a_clock_that_a_module_stops_is_its_own(project):
    project.write("shop/tests.py", "import time, unittest\ntime.monotonic = lambda: 0.0\nclass C(unittest.TestCase):\n    def test(self): pass\n")
    with Pod(project) as pod:
        pod.whole()
    assert pod.events[-1]["type"] == "closed"
    seconds = [event["seconds"] for event in pod.events if "seconds" in event]
    assert seconds and all(0 <= value < 60 for value in seconds), seconds

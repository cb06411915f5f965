"""Processes that end under a test: what is said of them, and what is left behind (nothing)."""

import json
import os
import select
import signal
import time

import pytest
from pod import PATIENCE, Pod

ONE_TEST = """
    import ctypes, multiprocessing, os, signal, subprocess, sys, threading, time, unittest

    class Risky(unittest.TestCase):
        def test_a_before(self):
            pass

        def test_risky(self):
            print("about to")
            %s

        def test_z_after(self):
            pass
"""

RISKY = "shop.tests.Risky.test_risky"


def risky(project, body, **options):
    """A pod that runs `body` in a test, up to its end."""
    project.write("shop/tests.py", ONE_TEST % body)
    with Pod(project) as pod:
        pod.whole(**options)
        assert pod.ended() == (0 if pod.events[-1]["type"] == "closed" else 1)
        pod.errors = pod.process.stderr.read().decode()
    return pod


NO_ROOM = """
    import faulthandler, time, unittest

    def has_no_room(*_, **__):
        raise RuntimeError("unable to start watchdog thread")

    class Risky(unittest.TestCase):
        def test_a_leaves_no_room_for_a_thread(self):
            faulthandler.dump_traceback_later = has_no_room

        def test_b(self):
            pass

        def test_c(self):
            time.sleep(600)
"""


def test_the_next_tests_have_their_limits_where_there_is_no_room_for_a_thread(project):
    project.write("shop/tests.py", NO_ROOM)
    with Pod(project) as pod:
        pod.whole(test_timeout=1.0)
    assert [event["verdict"] for event in pod.of("finished")] == ["passed"] * 2
    late = pod.one("timed_out")
    assert (late["test"], late["seconds"], late["stacks"]) == ("shop.tests.Risky.test_c", 1.0, "")


def wait_until_gone(process):
    """`process` may be a zombie for as long as nobody has reaped it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with open("/proc/%d/stat" % process) as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
    raise AssertionError("process %d is still there" % process)


@pytest.mark.parametrize(
    "body, status, number",
    [
        ("os._exit(0)", 0, None),
        ("os._exit(7)", 7, None),
        ("ctypes.string_at(0)", None, signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", None, signal.SIGKILL),
        ("os.abort()", None, signal.SIGABRT),
    ],
)
def test_a_process_that_dies_under_a_test(project, body, status, number):
    exited = risky(project, body).events[-1]
    peak = exited.pop("peak_kib")
    assert peak > 10_000
    assert exited == {
        "type": "exited",
        "status": status,
        "signal": number,
        "running": RISKY,
        "output": "about to\n",
        "output_omitted": 0,
    }


def test_what_was_finished_before_is_kept(project):
    pod = risky(project, "os._exit(0)")
    assert pod.verdicts() == {"Risky.test_a_before": "passed"}
    assert pod.of("closed") == pod.of("done") == []


def test_a_segfault_leaves_its_stacks_on_the_private_standard_error(project):
    pod = risky(project, "ctypes.string_at(0)")
    assert "Fatal Python error: Segmentation fault" in pod.errors
    assert "in test_risky" in pod.errors


@pytest.mark.parametrize(
    "body", ["time.sleep(600)", "ctypes.PyDLL(None).sleep(600)", "threading.Semaphore(0).acquire()"]
)
def test_a_test_over_its_time_limit(project, body):
    pod = risky(project, body, test_timeout=0.5)
    timed_out, exited = pod.events[-2:]
    assert (timed_out["type"], timed_out["test"], timed_out["try"]) == ("timed_out", RISKY, 1)
    assert timed_out["seconds"] == 0.5
    assert timed_out["output"] == "about to\n"
    assert timed_out["stacks"].startswith("Timeout (0:00:00.500000)!")
    assert "in test_risky" in timed_out["stacks"]
    assert (exited["type"], exited["running"], exited["signal"]) == ("exited", None, signal.SIGKILL)


def test_a_time_limit_cannot_be_ignored(project):
    body = "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(600)"
    assert risky(project, body, test_timeout=0.5).one("timed_out")["test"] == RISKY


def test_a_time_limit_is_for_one_test_alone(project):
    pod = risky(project, "pass", test_timeout=5.0)
    assert pod.events[-1]["type"] == "closed"


def test_keyboard_interrupt_is_the_tests_error_and_ends_the_worker(project):
    pod = risky(project, "raise KeyboardInterrupt")
    finished = pod.finished("test_risky")
    assert finished["verdict"] == "error"
    assert [failure["exception"] for failure in finished["failures"]] == ["KeyboardInterrupt"]
    exited = pod.events[-1]
    assert (exited["type"], exited["status"], exited["running"]) == ("exited", 130, None)
    assert pod.of("failed") == []


FIXTURE = """
    import ctypes, time, unittest

    class Heavy(unittest.TestCase):
        @classmethod
        def %s(cls):
            print("in fixture")
            %s

        def test_one(self):
            pass

        def test_two(self):
            pass
"""


def test_a_set_up_over_the_time_limit(project):
    project.write("shop/tests.py", FIXTURE % ("setUpClass", "time.sleep(600)"))
    with Pod(project) as pod:
        pod.whole(test_timeout=0.5)
        fixture, exited = pod.events[-2:]
        assert fixture["id"] == "setUpClass (shop.tests.Heavy)"
        assert fixture["tests"] == ["shop.tests.Heavy.test_one", "shop.tests.Heavy.test_two"]
        assert fixture["output"] == "in fixture\n"
        (failure,) = fixture["failures"]
        assert failure["exception"] == "TimeoutError"
        assert failure["message"] == "setUpClass (shop.tests.Heavy) did not end within 0.5 s"
        assert "in setUpClass" in failure["traceback"]
        assert (exited["type"], exited["running"]) == ("exited", None)


def test_a_process_that_dies_in_a_tear_down(project):
    project.write("shop/tests.py", FIXTURE % ("tearDownClass", "ctypes.string_at(0)"))
    with Pod(project) as pod:
        pod.whole()
        fixture, exited = pod.events[-2:]
        assert (fixture["id"], fixture["tests"]) == ("tearDownClass (shop.tests.Heavy)", [])
        (failure,) = fixture["failures"]
        assert failure["message"] == "the process ended (SIGSEGV) in tearDownClass (shop.tests.Heavy)"
        assert (exited["running"], exited["signal"]) == (None, signal.SIGSEGV)
        assert len(pod.of("finished")) == 2


CHILDREN = """
    import os, pathlib, signal, subprocess, sys, time, unittest

    class Parent(unittest.TestCase):
        def test_with_child(self):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            pathlib.Path("pids").write_text("%d %d" % (os.getpid(), child.pid))
            os.rename("pids", "pids.ready")
            %s
"""


def started_children(project):
    deadline = time.monotonic() + PATIENCE
    while not (project.root / "pids.ready").exists():
        assert time.monotonic() < deadline, "the test did not start its child"
        select.select([], [], [], 0.01)
    return map(int, (project.root / "pids.ready").read_text().split())


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGKILL"])
def test_nothing_survives_the_end(project, how):
    project.write("shop/tests.py", CHILDREN.replace("%s", "time.sleep(600)"))
    with Pod(project) as pod:
        pod.hello()
        pod.assign()
        pod.send("run", grant=1, tests=None)
        worker, child = started_children(project)
        if how == "end of input":
            pod.process.stdin.close()
        else:
            pod.process.send_signal(getattr(signal, how))
        assert pod.process.wait(PATIENCE) != 0
        wait_until_gone(worker)
        if how == "SIGKILL":
            os.kill(child, signal.SIGKILL)  # Only a container can end what outlives both processes.
        wait_until_gone(child)


def test_background_processes_end_with_a_good_pod(project):
    project.write("shop/tests.py", CHILDREN.replace("%s", "pass"))
    with Pod(project) as pod:
        pod.whole()
        assert pod.ended() == 0
        for process in started_children(project):
            wait_until_gone(process)


def test_a_forked_child_that_returns_from_its_test_ends_there(project):
    pod = risky(project, "pid = os.fork(); pid and os.waitpid(pid, 0)")
    assert [event["test"] for event in pod.of("finished")].count(RISKY) == 1
    assert pod.events[-1]["type"] == "closed"
    assert pod.events[-1]["tests"] == 3


def test_a_worker_whose_threads_never_end_is_ended_after_the_sentinel(project):
    body = "threading.Thread(target=os.read, args=(os.pipe()[0], 1)).start()"
    project.write("shop/tests.py", ONE_TEST % body)
    with Pod(project) as pod:
        pod.whole()
        assert pod.events[-1]["type"] == "closed"


def test_events_are_whole_lines_of_json_whatever_is_printed(project):
    noise = json.dumps({"type": "closed", "tests": 0, "peak_kib": 1})
    body = "print(%r, flush=True); os.write(1, b'{\\xff'); os.write(2, %r); os.system('echo %s')"
    pod = risky(project, body % ("\n" + noise, noise.encode(), "{}"))
    assert pod.verdicts()["Risky.test_risky"] == "passed"
    assert len(pod.of("closed")) == 1


def test_what_is_loaded_before_the_tests_is_not_looked_through_for_garbage(project):
    pod = risky(project, "import gc; print('settled:', gc.get_freeze_count() > 10_000)")
    assert "settled: True" in pod.finished("test_risky")["output"]


def test_a_process_that_ends_looks_for_no_garbage(project, tmp_path):
    told = tmp_path / "told"
    hook = "open(%r, 'w').write(str(any(it is kept for it in gc.get_objects())))" % str(told)
    risky(project, "import atexit, gc; kept = []; atexit.register(lambda: %s)" % hook)
    assert told.read_text() == "False"

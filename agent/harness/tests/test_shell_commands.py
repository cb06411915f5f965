"""Commands of `[hooks]`: in which order they run, what is told of them, and that nothing keeps the last ones away."""

import os
import select
import time

import pytest
from pod import PATIENCE, Pod
from test_endings import ONE_TEST, wait_until_gone

HOOKS = {
    "pod_setup": ["echo pod-setup-1 >> log", "echo pod-setup-2 >> log"],
    "app_setup": ["echo app-setup $APP >> log"],
    "app_teardown": ["echo app-teardown $APP >> log"],
    "pod_teardown": ["echo pod-teardown >> log"],
    "timeout": 30.0,
}

BOTH_ENDS = ["pod-setup-1", "pod-setup-2", "app-setup shop", "app-teardown shop", "pod-teardown"]


def hooks(**changes):
    return dict(HOOKS, **changes)


def log(project):
    return (project.root / "log").read_text().splitlines()


def run(project, body="pass", commands=HOOKS, **options):
    project.write("shop/tests.py", ONE_TEST % body)
    with Pod(project) as pod:
        pod.whole(hooks=commands, **options)
        pod.rest()
    return pod


def names(pod):
    return [(hook["scope"], hook["stage"], hook["status"]) for hook in pod.of("hook")]


def test_they_run_in_order_around_the_tests_and_the_sentinel_is_last(project):
    pod = run(project)
    assert log(project) == BOTH_ENDS
    kinds = [event["type"] for event in pod.events]
    assert kinds[:3] == ["hook", "hook", "booted"]
    assert kinds[-3:] == ["hook", "hook", "closed"]
    assert kinds.index("planned") > kinds.index("booted") + 1
    assert names(pod)[0] == ("pod", "setup", 0) and names(pod)[-1] == ("pod", "teardown", 0)


def test_what_they_print_and_how_long_they_take_is_told(project):
    commands = hooks(pod_setup=["echo out; echo err >&2", "head -c 5000 /dev/zero | tr '\\0' x"])
    pod = run(project, commands=commands, output_limit=1000)
    first, second = pod.of("hook")[:2]
    assert first["output"] == "out\nerr\n" and first["seconds"] > 0
    assert second["output_omitted"] == 4000


def test_they_share_a_folder_and_the_variables_of_the_tests(project):
    project.write("shop/tests.py", ONE_TEST % "open(os.environ['WORKSPACE'] + '/of-test', 'w').write(os.environ['BUILD_ID'])")
    commands = hooks(pod_setup=["echo $SECRET > $WORKSPACE/of-hook"], pod_teardown=["cat $WORKSPACE/of-hook $WORKSPACE/of-test; pwd"])
    with Pod(project, env={"SECRET": "word"}) as pod:
        pod.whole(hooks=commands).rest()
    assert pod.of("hook")[-1]["output"] == "word\nrun-1%s\n" % os.path.realpath(project.root)


@pytest.mark.parametrize("body", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "self.fail()", "raise KeyboardInterrupt"])
def test_what_ends_a_pod_runs_whatever_became_of_the_tests(project, body):
    pod = run(project, body)
    assert log(project) == BOTH_ENDS
    assert names(pod)[-2:] == [("app", "teardown", 0), ("pod", "teardown", 0)]


def test_it_runs_after_a_test_over_its_time_limit(project):
    pod = run(project, "time.sleep(600)", test_timeout=0.5)
    kinds = [event["type"] for event in pod.events]
    assert kinds[-4:] == ["timed_out", "exited", "hook", "hook"]
    assert log(project) == BOTH_ENDS


def test_a_set_up_that_fails_ends_the_pod_before_the_project_is_loaded(project):
    commands = hooks(pod_setup=["echo no licence; exit 7", "echo never >> log"])
    pod = run(project, commands=commands)
    hook, failed = pod.events[0], pod.one("failed")
    assert (hook["status"], hook["output"]) == (7, "no licence\n")
    assert failed["phase"] == "setup"
    assert failed["failures"][0]["traceback"] == "no licence\n"
    assert pod.of("booted") == pod.of("closed") == []
    assert log(project) == ["pod-teardown"]


def test_a_set_up_of_an_app_that_fails_keeps_its_tests_from_running(project):
    pod = run(project, commands=hooks(app_setup=["exit 1"]))
    assert pod.one("failed")["phase"] == "setup" and pod.of("started") == []
    assert log(project)[-2:] == ["app-teardown shop", "pod-teardown"]


def test_a_tear_down_that_fails_keeps_nothing_from_the_others(project):
    pod = run(project, commands=hooks(app_teardown=["exit 2", "echo second >> log"]))
    assert names(pod)[-3:] == [("app", "teardown", 2), ("app", "teardown", 0), ("pod", "teardown", 0)]
    assert pod.events[-1]["type"] == "closed"


def test_one_over_its_time_limit_is_killed_with_all_it_started(project):
    commands = hooks(pod_setup=["sleep 600 & echo $! > child; wait"], timeout=0.5)
    pod = run(project, commands=commands)
    hook = pod.events[0]
    assert hook["timed_out"] and hook["signal"] == 9 and hook["status"] is None
    wait_until_gone(int((project.root / "child").read_text()))


def test_what_a_set_up_leaves_in_the_background_lives_as_long_as_the_pod(project):
    body = "os.kill(int(open(%r).read()), 0)" % str(project.root / "server")
    commands = hooks(pod_setup=["sleep 600 & echo $! > server"], pod_teardown=["kill -0 $(cat server)"])
    pod = run(project, body, commands)
    assert pod.verdicts()["Risky.test_risky"] == "passed"
    assert names(pod)[-1] == ("pod", "teardown", 0)
    wait_until_gone(int((project.root / "server").read_text()))


def waiting(project):
    project.write("shop/tests.py", ONE_TEST % "time.sleep(600)")
    pod = Pod(project)
    pod.hello(hooks=HOOKS)
    pod.assign()
    pod.send("run", grant=1, tests=None)
    while pod.next()["type"] != "started" or not pod.events[-1]["test"].endswith("risky"):
        pass
    return pod


def test_a_pod_that_is_to_stop_ends_its_tests_at_once_and_tears_down(project):
    with waiting(project) as pod:
        pod.send_line('{"type":"stop"}')
        while len(pod.of("hook")) < 5:
            pod.next()
        assert pod.process.wait(PATIENCE) == 1
    assert log(project) == BOTH_ENDS


def test_a_pod_that_is_to_stop_has_little_time_for_it(project):
    project.write("shop/tests.py", ONE_TEST % "pass")
    with Pod(project) as pod:
        pod.send_hello(hooks=hooks(pod_setup=["touch begun; sleep 600"], pod_teardown=["sleep 600"]))
        deadline = time.monotonic() + PATIENCE
        while not (project.root / "begun").exists():
            assert time.monotonic() < deadline, "the set-up did not begin"
            select.select([], [], [], 0.01)
        pod.send_line('{"type":"stop"}')
        pod.rest()
        assert pod.process.wait(PATIENCE) == 1
    (hook,) = pod.of("hook")
    assert hook["stage"] == "teardown" and hook["timed_out"]


def test_a_pod_that_nobody_hears_any_more_tears_down_all_the_same(project):
    with waiting(project) as pod:
        pod.process.stdin.close()
        pod.process.wait(PATIENCE)
    assert log(project) == BOTH_ENDS

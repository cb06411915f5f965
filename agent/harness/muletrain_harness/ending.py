"""What the supervisor says of a worker that ended without `closed`. Pure."""

import signal

DOING = {
    "collect": "while test modules were loaded",
    "databases": "while the databases were set up",
    "checks": "while system checks ran",
    "teardown": "while the databases were taken down",
}


def last_words(subject, exceeded, others, stacks, status, peak_kib, output):
    """The last events of the pod.

    `subject`: the test, fixture or phase that was running, or None. `exceeded`: the limit that was up
    (`of` what, how many `seconds`), or None where the worker ended by itself. `others`: tests that fall
    with it. `status`: exit code, or the signal number as a negative.
    """
    events, running, silent = [], None, {"output": "", "output_omitted": 0}
    if subject is None:
        pass
    elif "fixture" in subject:
        events.append(_fixture(subject["fixture"], exceeded, others, stacks, status, output))
        output = silent
    elif "phase" in subject:
        if exceeded is not None:
            message = "%s %s" % (_up(exceeded), DOING[subject["phase"]])
            failures = [_failure("TimeoutError", message, stacks)]
            events.append(dict(subject, type="failed", failures=failures, **output))
            output = silent
    elif exceeded is not None:
        fields = dict(subject, seconds=exceeded["seconds"], limit_of=exceeded["of"], stacks=stacks, tests=others)
        events.append(dict(fields, type="timed_out", **output))
        output = silent
    else:
        running = subject["test"]
    exited = {
        "type": "exited",
        "status": status if status >= 0 else None,
        "signal": -status if status < 0 else None,
        "running": running,
        "peak_kib": peak_kib,
    }
    return [*events, dict(exited, **output)]


def _fixture(fixture, exceeded, others, stacks, status, output):
    if exceeded is None:
        how = describe(status)
        failure = _failure("ChildProcessError", "the process ended (%s) in %s" % (how, fixture["id"]), stacks)
    elif exceeded["of"] == "test":
        message = "%s did not end within %g s" % (fixture["id"], exceeded["seconds"])
        failure = _failure("TimeoutError", message, stacks)
    else:
        failure = _failure("TimeoutError", "%s in %s" % (_up(exceeded), fixture["id"]), stacks)
    tests = [*fixture["tests"], *(test for test in others if test not in fixture["tests"])]
    return dict(fixture, type="fixture", failures=[*fixture["failures"], failure], tests=tests, **output)


def _failure(exception, message, stacks):
    return {"kind": "error", "exception": exception, "message": message, "traceback": stacks, "subtest": None}


def _up(exceeded):
    return "the %s's time limit of %g s was up" % (exceeded["of"], exceeded["seconds"])


def describe(status):
    if status >= 0:
        return "exit code %d" % status
    try:
        return signal.Signals(-status).name
    except ValueError:
        return "signal %d" % -status

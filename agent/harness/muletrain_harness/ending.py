"""What the supervisor says of a worker that ended without `closed`. Pure."""

import signal


def last_words(subject, limit, stacks, status, peak_kib, output):
    """The last events of the pod.

    `subject`: the test or fixture that was running, or None. `limit`: the time limit it exceeded, or
    None where the worker ended by itself. `status`: exit code, or the signal number as a negative.
    """
    events, running, silent = [], None, {"output": "", "output_omitted": 0}
    if subject is None:
        pass
    elif "fixture" in subject:
        events.append(_fixture(subject["fixture"], limit, stacks, status, output))
        output = silent
    elif limit is not None:
        fields = dict(subject, seconds=limit, stacks=stacks, **output)
        events.append(dict(fields, type="timed_out"))
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


def _fixture(fixture, limit, stacks, status, output):
    if limit is not None:
        exception, message = "TimeoutError", "%s did not end within %g s" % (fixture["id"], limit)
    else:
        exception, message = (
            "ChildProcessError",
            "the process ended (%s) in %s"
            % (
                describe(status),
                fixture["id"],
            ),
        )
    failure = {
        "kind": "error",
        "exception": exception,
        "message": message,
        "traceback": stacks,
        "subtest": None,
    }
    return dict(fixture, type="fixture", failures=[*fixture["failures"], failure], **output)


def describe(status):
    if status >= 0:
        return "exit code %d" % status
    try:
        return signal.Signals(-status).name
    except ValueError:
        return "signal %d" % -status

"""What the supervisor does around the worker: shell commands before and after it, files to take out.

Written as generators that the supervisor's loop goes on with: each `yield` gives way to it.
"""

import json
import os
import time
from collections import deque

from . import workspace
from .collecting import Collector, below, find
from .shell import Shell

STOP_GRACE = 4.0  # Seconds left for what is around the tests once the agent wants the pod to end.
REPORT_LIMIT = 1 << 30  # Bytes of a report on coverage, and of what one process measured.
NO_HOOKS = {"pod_setup": [], "pod_teardown": [], "app_setup": [], "app_teardown": [], "timeout": 0.0}


class Errands:
    """`say` takes an event, `is_behind` tells whether the agent has to catch up first."""

    def __init__(self, say, is_behind):
        self._say = say
        self._is_behind = is_behind
        self._collector = Collector(time.time())
        self._hello = None
        self._hooks = NO_HOOKS
        self._queue = deque()
        self._is_finishing = False
        self._shell = None
        self._shells = []
        self._to_tear_down = []
        self._stop_at = None

    @property
    def is_busy(self):
        return bool(self._queue)

    @property
    def are_owed(self):
        """Whether something will be left to do once the worker is through."""
        hello = self._hello or {}
        owed = [self._hooks[scope + "_teardown"] for scope, _ in self._to_tear_down]
        return any(owed) or bool(hello.get("artifacts") or hello.get("coverage"))

    @property
    def deadline(self):
        """When the loop has to come back although nothing happens."""
        if not self.is_busy or self._is_behind():
            return None
        return time.monotonic() if self._shell is None else self._shell.deadline

    def prepare(self, command, pass_on, failed):
        """Whatever has to happen before the worker gets this command."""
        settings = _settings(command, "hello") or (self._has_app_hooks() and _settings(command, "assign"))
        if not settings:
            pass_on()
        elif settings["type"] == "hello":
            self._hello = settings
            self._hooks = settings.get("hooks") or NO_HOOKS
            self._queue.append(self._set_up("pod", None, pass_on, failed))
        else:
            self._queue.append(self._set_up("app", settings["app"], pass_on, failed))

    def finish(self, scopes, then):
        """Everything after the worker, or after the app's own process, whatever became of it."""
        self._is_finishing = True
        self._queue.append(self._finish(scopes, then))

    def turn(self):
        """Goes on until something has to be waited for."""
        while self._queue and not self._is_behind():
            try:
                next(self._queue[0])
            except StopIteration:
                self._queue.popleft()
            if self._shell is not None:
                return

    def stop(self):
        """The agent wants the pod to end: a set-up is broken off, the rest has little time left."""
        self._stop_at = time.monotonic() + STOP_GRACE
        if self._shell is not None:
            self._shell.end_by(self._stop_at)
        if not self._is_finishing:
            self._queue.clear()
            self._shell = None

    def end(self, is_heard):
        """What nobody hears of any more is done all the same; nothing is left in the background."""
        if not is_heard:
            self._hello = dict(self._hello or {}, artifacts=None, coverage=None)
            self.stop()
            self.finish(("app", "pod"), lambda: None)
            while self.is_busy:
                self.turn()
                time.sleep(0.01)
        for shell in self._shells:
            shell.end()

    def _has_app_hooks(self):
        return bool(self._hooks["app_setup"] or self._hooks["app_teardown"])

    def _set_up(self, scope, app, pass_on, failed):
        self._to_tear_down.append((scope, app))
        for command in self._hooks[scope + "_setup"]:
            outcome = yield from self._run(scope, "setup", command, app)
            if outcome["status"] != 0 or outcome["timed_out"]:
                failed(_failure(scope, command, outcome))
                return
        pass_on()

    def _finish(self, scopes, then):
        while self._to_tear_down and self._to_tear_down[-1][0] in scopes:
            scope, app = self._to_tear_down.pop()
            for command in self._hooks[scope + "_teardown"]:
                yield from self._run(scope, "teardown", command, app)
        for event in self._files():
            self._say(event)
            yield
        self._is_finishing = False
        then()

    def _run(self, scope, stage, command, app):
        hello = self._hello
        shell = Shell(command, hello["root"], self._environment(app), hello["output_limit"])
        shell.end_by(time.monotonic() + self._hooks["timeout"])
        if self._stop_at is not None:
            shell.end_by(self._stop_at)
        self._shells.append(shell)
        self._shell = shell
        while not shell.is_over():
            yield
        self._shell = None
        outcome = shell.outcome()
        self._say(dict(outcome, type="hook", scope=scope, stage=stage, command=command))
        return outcome

    def _environment(self, app):
        environment = dict(os.environ, **self._hello.get("environment", {}))
        environment.update(workspace.environment(self._hello))
        if app is not None:
            environment["APP"] = app
        return environment

    def _files(self):
        hello = self._hello or {}
        if hello.get("coverage"):
            for kind in (workspace.COVERAGE, workspace.REPORT):
                files = below(workspace.path(kind))
                yield from self._collector.pieces(files, kind, REPORT_LIMIT, REPORT_LIMIT)
        artifacts = hello.get("artifacts")
        if artifacts:
            files = find(artifacts["globs"], hello["root"], workspace.path(workspace.OWN))
            yield from self._collector.pieces(files, "file", artifacts["limit"], artifacts["total_limit"])


def _settings(command, kind):
    """A command as an object, if it is of this kind; most are large, and none of our business."""
    name = kind.encode()
    if not (b'"type":"%s"' % name in command or b'"type": "%s"' % name in command):
        return None
    try:
        settings = json.loads(command.decode("utf-8"))
    except ValueError:
        return None  # The worker says what is wrong with it.
    return settings if isinstance(settings, dict) and settings.get("type") == kind else None


def _failure(scope, command, outcome):
    message = "the %s's setup command %r failed" % (scope, command)
    return {
        "kind": "error",
        "exception": "SetupFailed",
        "message": message,
        "traceback": outcome["output"],
        "subtest": None,
    }

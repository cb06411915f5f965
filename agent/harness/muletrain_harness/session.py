"""The worker's side of the conversation: what phase it is in, and how it ends."""

import resource
import sys

from .failure import failure
from .trace import Trace


class Finished(BaseException):
    """The agent said `finish` before any tests were assigned: leave through the project's runner."""


class Failed(Exception):
    """Why this pod cannot go on, in words for the user."""


class Session:
    """Shared by the worker and its adapter."""

    def __init__(self, commands, events, capture, stacks):
        self.commands = commands
        self.events = events
        self.capture = capture
        self.stacks = stacks
        self.phase = "boot"
        self.test_timeout = None
        self.trace = None
        self.is_over = False
        self.finished = 0
        self.ended_by_test = False

    def emit(self, kind, fields):
        self.events.emit(kind, fields)

    def greet(self, hello, surroundings):
        self.test_timeout = hello["test_timeout"]
        self.capture.limit = hello["output_limit"]
        self.events.note(limit=self.test_timeout, output_limit=self.capture.limit)
        self.trace = Trace(surroundings) if hello.get("trace") else None

    def close(self):
        peak = kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        self.emit("closed", {"tests": self.finished, "peak_kib": peak})
        self.events.note(closed=True)

    def fail(self, exception):
        fields = {"phase": self.phase, "failures": [failure("error", exception)]}
        self.emit("failed", dict(fields, **self.capture.take()))


def kib(maxrss):
    """macOS counts in bytes."""
    return maxrss // 1024 if sys.platform == "darwin" else maxrss

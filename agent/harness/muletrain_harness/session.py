"""The worker's side of the conversation: what phase it is in, and how it ends."""

import faulthandler
import resource
import sys

from . import memory
from .failure import failure, relative
from .limits import Limits
from .trace import Trace
from .warned import Warned


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
        self.limits = Limits()
        self.prefix = ""
        self.trace = None
        self._warned = None
        self.is_over = False
        self.finished = 0
        self.red = 0
        self.ended_by_test = False
        self.is_secluded = False
        self._peak_kib = 0

    def seclude(self, nobody):
        """This process is a helper of the worker's: it must not be heard in its place, nor take its commands."""
        self.is_secluded = True
        self.commands = self.events = nobody

    def emit(self, kind, fields):
        self.events.emit(kind, fields)

    def greet(self, hello, surroundings):
        others = [hello.get(kind + "_timeout") for kind in ("class", "app", "run")]
        self.limits = Limits(hello["test_timeout"], *others)
        self.capture.limit = hello["output_limit"]
        self.prefix = hello["suite"]["prefix"]
        self.events.note(output_limit=self.capture.limit)
        self._warned = Warned(relative)
        self.trace = Trace(surroundings) if hello.get("trace") else None

    def enter(self, phase):
        """What goes wrong from here on went wrong in `phase`."""
        self.phase = phase
        self.announce({"phase": phase} if phase != "run" else None)

    def announce(self, subject):
        """Let the supervisor know what to blame should the worker end, and what to end should it last.

        The supervisor kills; the stacks can only be had from inside, and without waiting for the GIL.
        """
        faulthandler.cancel_dump_traceback_later()
        limit = subject and self.limits.nearest(with_test="phase" not in subject)
        self.events.note(running={"subject": subject, "limit": limit})
        if limit:
            try:
                faulthandler.dump_traceback_later(max(limit["left"], 0.001), file=self.stacks)
            except RuntimeError:
                pass  # It takes a thread, and tests have left no room for one. The supervisor kills without.

    def warn(self, text):
        """Beside Python's own warnings, whatever filters the project has for those."""
        self._warned.add(text)

    def restart_peak(self):
        """Have the peak of memory count from here on; whether the kernel lets us."""
        self._peak_kib = max(self._peak_kib, memory.peak_kib() or 0)
        self.events.note(peak_kib=self._peak_kib)
        return memory.restart()

    def close(self):
        warnings = self._warned.as_fields() if self.is_over else None
        if warnings:
            self.emit("warnings", warnings)
        peak = kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        self.emit("closed", {"tests": self.finished, "peak_kib": max(peak, self._peak_kib)})
        self.events.note(closed=True)

    def fail(self, exception):
        fields = {"phase": self.phase, "failures": [failure("error", exception)]}
        self.emit("failed", dict(fields, **self.capture.take()))


def kib(maxrss):
    """macOS counts in bytes."""
    return maxrss // 1024 if sys.platform == "darwin" else maxrss

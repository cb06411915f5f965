"""One shell command of `[hooks]`, run without waiting for it."""

import math
import os
import signal
import subprocess
import time

from .capture import Capture


class Shell:
    """Runs in a session of its own, so that a time limit ends all that it started.

    What it leaves in the background on purpose, such as a server, lives until `end`.
    """

    def __init__(self, command, folder, environment, output_limit):
        self._capture = Capture()
        self._capture.limit = output_limit
        self._started = time.monotonic()
        self.deadline = math.inf
        self._timed_out = False
        self._error = None
        self._process = None
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._capture.descriptor,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._error = error

    def end_by(self, moment):
        """On the monotonic clock; the earliest that was said counts."""
        self.deadline = min(self.deadline, moment)

    def is_over(self):
        """Whether it has ended; one whose time is up is ended here."""
        if self._process is None or self._process.poll() is not None:
            return True
        if time.monotonic() >= self.deadline:
            self._timed_out = True
            self.end()
        return False

    def end(self):
        """It and everything of it that still runs."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def outcome(self):
        """How it ended, as the protocol tells it."""
        code = None if self._process is None else self._process.returncode
        fields = {
            "seconds": time.monotonic() - self._started,
            "status": code if code is not None and code >= 0 else None,
            "signal": -code if code is not None and code < 0 else None,
            "timed_out": self._timed_out,
        }
        output = self._capture.peek()
        if self._error is not None:
            output["output"] = str(self._error)
        self._capture.close()
        return dict(fields, **output)

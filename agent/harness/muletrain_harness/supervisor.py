"""The process the agent talks to. It stays out of Django, so nothing a test does can silence it.

Passes commands to the worker and events from it, keeps the time limit of what is running, and tells
how the worker ended.
"""

import json
import os
import select
import signal
import sys
import time

from . import worker
from .capture import Capture
from .channel import Events, encode
from .descriptors import scratch_file
from .ending import last_words
from .session import kib

CHUNK = 65536
BACKLOG = 1 << 20  # Bytes the agent may be behind before the worker has to wait.
DUMP_GRACE = 0.3  # Seconds past a time limit in which the worker dumps its stacks.
EXIT_GRACE = 5.0  # Seconds that the project's `atexit` hooks have after `closed`.


def main():
    """Never returns."""
    capture = Capture()
    stacks = scratch_file()
    command_reader, command_writer = os.pipe()
    event_reader, event_writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(command_writer)
        os.close(event_reader)
        worker.main(command_reader, event_writer, capture, stacks)
    os.close(command_reader)
    os.close(event_writer)
    sys.exit(Supervisor(pid, command_writer, event_reader, capture, stacks).run())


class Supervisor:
    """One loop over four descriptors; nothing in it blocks but `select`."""

    def __init__(self, pid, commands, events, capture, stacks):
        self._pid = pid
        self._commands = commands
        self._events = events
        self._capture = capture
        self._stacks = stacks
        self._to_worker = bytearray()
        self._to_agent = bytearray()
        self._partial_line = bytearray()
        self._subject = None
        self._limit = None
        self._closed = False
        self._deadline = None
        self._exceeded = None
        self._worker_ended = False
        self._agent_is_gone = False

    def run(self):
        os.set_blocking(self._events, False)
        signals = _listen_for_signals()
        self._reap()
        while not (self._agent_is_gone or self._worker_ended and not self._to_agent):
            self._turn(signals)
            self._reap()
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._run_out_of_time()
        if not self._worker_ended:
            self._kill()
            os.waitpid(self._pid, 0)
        return 0 if self._closed else 1

    def _turn(self, signals):
        readers = [0, signals]
        if len(self._to_agent) < BACKLOG and not self._worker_ended:
            readers.append(self._events)
        writers = [1] if self._to_agent else []
        if self._to_worker and not self._worker_ended:
            writers.append(self._commands)
        wait = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        readable, writable, _ = select.select(readers, writers, [], wait)
        if 0 in readable:
            self._read_commands()
        if signals in readable:
            self._read_signals(signals)
        if self._events in readable:
            self._read_events()
        if 1 in writable:
            self._write_to_agent()
        if self._commands in writable:
            self._write_to_worker()

    def _read_commands(self):
        data = os.read(0, CHUNK)
        self._agent_is_gone = self._agent_is_gone or not data
        self._to_worker += data

    def _read_signals(self, signals):
        """SIGCHLD only wakes the loop; any other signal asks this process to end."""
        if set(os.read(signals, CHUNK)) - {signal.SIGCHLD}:
            self._agent_is_gone = True

    def _write_to_worker(self):
        try:
            del self._to_worker[: os.write(self._commands, self._to_worker[: select.PIPE_BUF])]
        except BrokenPipeError:
            self._to_worker.clear()

    def _write_to_agent(self):
        try:
            del self._to_agent[: os.write(1, self._to_agent[: select.PIPE_BUF])]
        except BrokenPipeError:
            self._agent_is_gone = True

    def _read_events(self):
        """Whether there was anything to read."""
        try:
            data = os.read(self._events, CHUNK)
        except BlockingIOError:
            return False
        rest, *beginnings = data.split(b"\n")
        self._partial_line += rest
        for beginning in beginnings:
            self._pass_on(self._partial_line)
            self._partial_line = bytearray(beginning)
        return bool(data)

    def _pass_on(self, line):
        if line.startswith(Events.NOTE):
            self._note(**json.loads(line[1:].decode("utf-8")))
        else:
            self._to_agent += line + b"\n"

    def _note(self, **changes):
        self._limit = changes.get("limit", self._limit)
        self._capture.limit = changes.get("output_limit", self._capture.limit)
        self._closed = changes.get("closed", self._closed)
        self._subject = changes.get("subject")
        self._deadline = None
        if self._closed:
            self._deadline = time.monotonic() + EXIT_GRACE
        elif self._subject is not None and self._limit is not None:
            self._deadline = time.monotonic() + self._limit + DUMP_GRACE

    def _run_out_of_time(self):
        while self._read_events():
            pass
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._exceeded = self._limit
            self._deadline = None
            self._kill()

    def _kill(self):
        """The worker and all that it or its tests started."""
        self._end_group()
        os.kill(self._pid, signal.SIGKILL)  # It may not lead its group yet.

    def _reap(self):
        if self._worker_ended:
            return
        pid, status, usage = os.wait4(self._pid, os.WNOHANG)
        if pid == 0:
            return
        self._worker_ended = True
        self._deadline = None
        while self._read_events():
            pass
        self._end_group()
        if not self._closed:
            self._say_last_words(status, kib(usage.ru_maxrss))

    def _say_last_words(self, status, peak_kib):
        size = os.fstat(self._stacks).st_size
        stacks = os.pread(self._stacks, size, 0).decode("utf-8", "replace")
        events = last_words(
            self._subject,
            self._exceeded,
            stacks[max(0, stacks.rfind("Timeout (")) :],
            -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
            peak_kib,
            self._capture.peek(),
        )
        for event in events:
            self._to_agent += encode(event)

    def _end_group(self):
        """Also what tests left running in the background."""
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _listen_for_signals():
    """A descriptor from which the numbers of the signals that arrive can be read."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reader

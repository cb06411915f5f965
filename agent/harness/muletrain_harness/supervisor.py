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
from functools import partial

from . import janitor, worker, workspace
from .account import Account
from .capture import Capture
from .channel import Events, encode
from .descriptors import scratch_file
from .desk import STOP, Desk
from .ending import last_words
from .errands import Errands
from .session import kib

CHUNK = 65536
CLOSED = b'{"type": "closed"'
BACKLOG = 1 << 20  # Bytes the agent may be behind before the worker has to wait.
CLEAN_GRACE = 8.0  # Seconds in which databases that a dead worker left can be removed.


def main():
    """Never returns."""
    workspace.make()
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
        self._account = Account(capture)
        self._errands = Errands(self._say, self._is_behind)
        self._desk = Desk(lambda: self._errands.is_busy)
        self._sentinel = bytearray()
        self._worker_ended = False
        self._agent_is_gone = False

    def run(self):
        os.set_blocking(self._events, False)
        signals = _listen_for_signals()
        self._reap()
        while not (self._agent_is_gone or self._is_over()):
            self._turn(signals)
            self._reap()
            if self._is_late():
                self._run_out_of_time()
            self._errands.turn()
            self._feed_worker()
        if not self._worker_ended:
            self._kill()
            os.waitpid(self._pid, 0)
        self._clean_up()
        self._errands.end(is_heard=not self._agent_is_gone)
        workspace.remove()
        return 0 if self._account.is_closed else 1

    def _turn(self, signals):
        readers = [0, signals]
        if not self._is_behind() and not self._worker_ended:
            readers.append(self._events)
        writers = [1] if self._to_agent else []
        if self._to_worker and not self._worker_ended:
            writers.append(self._commands)
        deadlines = [self._account.deadline, self._errands.deadline]
        deadline = min((deadline for deadline in deadlines if deadline is not None), default=None)
        wait = None if deadline is None else max(0.0, deadline - time.monotonic())
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
        self._desk.add(data)

    def _is_behind(self):
        return len(self._to_agent) >= BACKLOG and not self._agent_is_gone

    def _is_over(self):
        return self._worker_ended and not self._to_agent and not self._errands.is_busy

    def _feed_worker(self):
        for command in self._desk.commands():
            if command == STOP:
                self._errands.stop()
                if not self._worker_ended:
                    self._kill()
            else:
                self._errands.prepare(command, partial(self._to_worker.extend, command), self._set_up_failed)

    def _set_up_failed(self, failure):
        self._say({"type": "failed", "phase": "setup", "failures": [failure], "output": "", "output_omitted": 0})
        self._kill()

    def _say(self, event):
        self._to_agent += encode(event)

    def _say_sentinel(self):
        self._to_agent += self._sentinel
        self._sentinel.clear()

    def _say_idle(self):
        self._say_sentinel()
        self._say({"type": "idle"})

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
        elif line.startswith(CLOSED) and self._errands.are_owed:
            self._sentinel += line + b"\n"
        else:
            self._to_agent += line + b"\n"

    def _note(self, **changes):
        self._account.note(**changes)
        if self._account.child_end is None:
            return
        if self._account.is_closed:
            self._account.child_is_gone()
            self._errands.finish(("app",), self._say_idle)
        else:
            self._kill()  # The rest of the pod belongs to the child that is gone.

    def _is_late(self):
        deadline = self._account.deadline
        return deadline is not None and time.monotonic() >= deadline

    def _run_out_of_time(self):
        while self._read_events():
            pass
        if not self._is_late():
            return
        self._account.exceed()
        if self._account.child is None:
            self._kill()
        else:
            _end_group(self._account.child)

    def _kill(self):
        """The worker and all that it or its tests started."""
        self._end_groups()
        os.kill(self._pid, signal.SIGKILL)  # It may not lead its group yet.

    def _reap(self):
        if self._worker_ended:
            return
        pid, status, usage = os.wait4(self._pid, os.WNOHANG)
        if pid == 0:
            return
        self._worker_ended = True
        while self._read_events():
            pass
        self._account.deadline = None
        self._end_groups()
        if not self._account.is_closed:
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            end = self._account.child_end or {"status": code, "peak_kib": kib(usage.ru_maxrss)}
            self._say_last_words(**end)
        self._errands.finish(("app", "pod"), self._say_sentinel)

    def _say_last_words(self, status, peak_kib):
        account = self._account
        size = os.fstat(self._stacks).st_size
        stacks = os.pread(self._stacks, size, 0).decode("utf-8", "replace")
        events = last_words(
            account.subject,
            account.exceeded,
            account.others(),
            stacks[max(0, stacks.rfind("Timeout (")) :],
            status,
            max(peak_kib, account.peak_kib),
            self._capture.peek(),
        )
        for event in events:
            self._say(event)

    def _end_groups(self):
        """Also what tests left running in the background."""
        _end_group(self._pid)
        if self._account.child is not None:
            _end_group(self._account.child)

    def _clean_up(self):
        """What the worker has on servers, should it have ended before it could remove that itself."""
        remains = [one for one in (self._account.remains, self._account.templates) if one is not None]
        if not remains:
            return
        pid = os.fork()
        if pid == 0:
            janitor.main(remains)
        deadline = time.monotonic() + CLEAN_GRACE
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
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

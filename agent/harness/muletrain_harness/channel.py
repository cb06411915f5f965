"""JSON lines of the worker: commands in; events out, and notes that are for the supervisor alone."""

import json
import os

CHUNK = 65536


class ProtocolError(Exception):
    """A command that this harness does not understand."""


class Command(dict):
    def __missing__(self, field):
        raise ProtocolError("command %r has no %r" % (self["type"], field))


def encode(message):
    """One line. Lone surrogates, which JSON cannot carry, become question marks."""
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


class Events:
    """The way out of the worker, open to the process that made it and to no fork of it."""

    NOTE = b"!"

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self.belong_to_this_process()

    def belong_to_this_process(self):
        self._owner = os.getpid()

    def emit(self, kind, fields):
        self._write(encode(dict({"type": kind}, **fields)))

    def note(self, **fields):
        """Tell the supervisor alone, so that it knows what to say if the worker ends."""
        self._write(self.NOTE + encode(fields))

    def end_forked_copy(self):
        """A test forked, and the child came back from the test: it must not go on as a second worker."""
        if os.getpid() != self._owner:
            os._exit(1)

    def _write(self, data):
        self.end_forked_copy()
        while data:
            data = data[os.write(self._descriptor, data) :]


class Commands:
    """The way into the worker."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._ahead = bytearray()

    def next(self):
        line = self._line()
        try:
            command = json.loads(line.decode("utf-8"))
        except ValueError:
            command = None
        if not isinstance(command, dict) or "type" not in command:
            raise ProtocolError("a line is not a command: %r" % line[:200])
        return Command(command)

    def leave_to_child(self):
        """What was read ahead is for the process that was just forked."""
        self._ahead.clear()

    def _line(self):
        searched = 0
        while True:
            end = self._ahead.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._ahead[:end])
                del self._ahead[: end + 1]
                return line
            searched = len(self._ahead)
            data = os.read(self._descriptor, CHUNK)
            if not data:
                os._exit(1)  # The supervisor is gone, and with it everyone who could be told.
            self._ahead += data

"""Databases for forked children: made once in a pod, by a process of its own, and copied by each child.

The process that forks must not make them itself: what migrations leave in memory, and connections, would be
in every child. So it forks a keeper beside its first child. The keeper waits until a child has use for
databases, makes them as a pod that warms does, and lives on where there are locks on their names. Whatever
becomes of it, a child that gets no databases sets up its own.
"""

import json
import os
import signal
import socket

from . import native, workspace
from .descriptors import lift

FILE = "databases.json"
VENDORS = ("sqlite", "postgresql", "mysql")  # Of which copies can be made.


class Line:
    """Between the keeper and the one child there is at a time."""

    def __init__(self, end):
        self._end = end

    def databases(self, kept):
        """All that the keeper makes; `kept` are aliases of which somebody else has kept the content."""
        path = workspace.path(FILE)
        try:
            if not os.path.exists(path):
                self._end.sendall(json.dumps(sorted(kept)).encode("utf-8") + b"\n")
                self._end.recv(1)
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return []  # It is gone, or was when it should have made them.


class Keeper:
    """In the keeper itself: the other end."""

    def __init__(self, end):
        self._end = end

    def wait(self):
        """Aliases that it need not make, once databases are wanted; ends with the pod."""
        request = b""
        while not request.endswith(b"\n"):
            data = self._receive()
            request += data
        return set(json.loads(request.decode("utf-8")))

    def give(self, databases, holds_locks):
        """Never returns: names on servers of others are its own for as long as it lives, and nothing else is."""
        path = workspace.path(FILE)
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(databases, file)
        os.rename(path + ".part", path)
        self._end.sendall(b".")
        while holds_locks:
            self._receive()
        os._exit(0)

    def _receive(self):
        data = self._end.recv(4096)
        if not data:
            os._exit(0)  # Whoever could ask is gone.
        return data


class Alone:
    """Stands where the agent is heard and told elsewhere: a keeper speaks with children only."""

    def emit(self, kind, fields):
        pass

    def note(self, **fields):
        pass

    def end_forked_copy(self):
        pass

    def next(self):
        os._exit(1)  # The project's runner sets up no databases.


def fork(session):
    """A `Line` in this process, and in its child a `Keeper`; of the pair the other one is None."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return Line(_lifted(ours)), None
    native.end_with_parent(signal.SIGKILL)
    ours.close()
    session.events.belong_to_this_process()
    session.seclude(Alone())
    return None, Keeper(_lifted(theirs))


def _lifted(end):
    """Out of the reach of tests that close what they do not know."""
    return socket.socket(fileno=lift(end.detach()))

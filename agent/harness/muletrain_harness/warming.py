"""Has the project's runner make all databases once, to be kept for other pods."""

import time

from . import kept
from .databases import creating


class AllMade(BaseException):
    """Leaves the project's `setup_databases`: what it does from there on is done in every pod."""


def warm(connections, aliases, set_up, ours):
    """What is kept, in the order made, as `database` tells it; no connection is left open.

    `ours`: the databases of this process, which say what may be kept.
    """
    from django.test.utils import get_unique_databases_and_mirrors

    aliases = list(connections if aliases is None else aliases)
    ours.prepare_to_keep(connections, aliases)
    making = Making(len(get_unique_databases_and_mirrors(aliases)[0]), ours)
    try:
        with creating(connections, aliases, making.create):
            set_up()
        making.forget_what_is_on_servers()
    except AllMade:
        pass
    finally:
        _disconnect(connections)
        ours.leave_copies()
    if making.error is not None and not making.databases and not isinstance(making.error, NotKept):
        raise making.error
    return making.databases


class NotKept(Exception):
    """It is not made either."""


class Making:
    """A database that cannot be made is not kept: pods that do not use it need not care."""

    def __init__(self, left, ours):
        self.databases = []
        self.error = None
        self._ours = ours
        self._left = left
        self._made = []

    def create(self, connection, create, args, kwargs):
        before = self._contents()
        started = time.monotonic()
        try:
            if not self._ours.may_keep(connection):
                raise NotKept
            create(*args, **kwargs)
            database = kept.describe(connection, time.monotonic() - started)
        except (Exception, SystemExit) as error:
            self.error = self.error or error
        else:
            # Where it wrote to the others as well, it has to do so in every pod.
            if self._contents() == before:
                self.databases.append(database)
            self._made.append(connection)
        self._left -= 1
        if self._left == 0:
            raise AllMade
        return connection.settings_dict["NAME"]

    def forget_what_is_on_servers(self):
        """The project went on, and may have written to them what it writes in every pod."""
        self.databases = [database for database in self.databases if database["data"] is not None]

    def _contents(self):
        return [kept.content(connection) for connection in self._made]


def _disconnect(connections):
    connections.close_all()
    for alias in connections:
        if hasattr(connections[alias], "close_pool"):
            connections[alias].close_pool()

"""Database servers that other pods use at the same time.

A pod holds a lock on each name of its own for as long as it lives, on a connection that nothing else
uses. So whose lock is free belongs to a pod that is gone, wherever that pod was, and anybody may
remove it. No clock, no list and no other host is asked.
"""

import collections
import copy
import hashlib
import os
import re

SQLITE = "sqlite"
OURS = re.compile(r"_mt[0-9a-f]{12}_")

Locks = collections.namedtuple("Locks", "databases take leave key")


def _number(name):
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big", signed=True)


LOCKS = {
    "postgresql": Locks(
        "SELECT datname FROM pg_database",
        "SELECT pg_try_advisory_lock(%s)",
        "SELECT pg_advisory_unlock(%s)",
        _number,
    ),
    "mysql": Locks("SHOW DATABASES", "SELECT GET_LOCK(%s, 0)", "SELECT RELEASE_LOCK(%s)", str),
}


class Server:
    """`problem` is why no lock can be held here, or None."""

    def __init__(self, connection):
        self.problem = None
        self._locks = LOCKS.get(connection.vendor)
        self._connection = None
        self._attempt(lambda: self._connect(connection))

    def claim(self, name):
        """Hold the lock of a name until this process ends; whether that is so."""
        return bool(self._attempt(lambda: self._take(name)))

    def sweep(self):
        """Remove the databases of pods that are gone."""
        for name in self._attempt(self._names) or ():
            if OURS.search(name):
                self._attempt(lambda: self._remove(name))

    def _attempt(self, act):
        """What cannot be locked is not ours to remove; tests run all the same."""
        if self.problem is not None:
            return None
        try:
            return act()
        except Exception as error:
            self.problem = "%s: %s" % (type(error).__name__, error)
            return None

    def _connect(self, connection):
        from django.db.backends.base.base import NO_DB_ALIAS

        if self._locks is None:
            raise NotImplementedError("nothing is known of locks on %s" % connection.vendor)
        settings = dict(copy.deepcopy(connection.settings_dict), NAME=None, CONN_MAX_AGE=None)
        self._connection = type(connection)(settings, alias=NO_DB_ALIAS)
        self._connection.ensure_connection()

    def _names(self):
        return [name for name, in self._rows(self._locks.databases)]

    def _take(self, name):
        return self._rows(self._locks.take, [self._locks.key(name)])[0][0]

    def _remove(self, name):
        if not self._take(name):
            return
        try:
            remove(self._connection, name)
        except Exception:
            pass  # Someone removes it at the same time, or still looks at it.
        finally:
            self._rows(self._locks.leave, [self._locks.key(name)])

    def _rows(self, query, parameters=None):
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()


def remove(connection, name):
    """A test database, by its name."""
    if connection.vendor != SQLITE:
        connection.creation._destroy_test_db(name, verbosity=0)
        return
    for suffix in ("", "-journal", "-wal", "-shm"):
        try:
            os.unlink(name + suffix)
        except FileNotFoundError:
            pass

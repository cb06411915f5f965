"""The test databases of this pod: how long the project's runner takes for them, and which were kept."""

import contextlib
import functools
import time

from .channel import ProtocolError
from .kept import create_from
from .replacing import replaced


class Databases:
    def __init__(self):
        self._databases = {}
        self._kept = {}
        self._seconds = 0.0

    def keep(self, kept):
        """To be used where the project's runner makes a database of that alias."""
        for database in kept or ():
            missing = {"alias", "vendor", "tables", "data"} - set(database)
            if missing:
                raise ProtocolError("a kept database has no %s" % ", ".join(sorted(missing)))
            self._kept[database["alias"]] = database

    def as_fields(self):
        return {"databases": list(self._databases.values()), "seconds": self._seconds}

    @contextlib.contextmanager
    def being_set_up(self, connections, aliases):
        """`aliases` is None for all of them, as in runners written for older versions of Django."""
        started = time.monotonic()
        with creating(connections, connections if aliases is None else aliases, self._create):
            yield
        self._seconds = time.monotonic() - started

    def _create(self, connection, create, args, kwargs):
        kept = self._kept.get(connection.alias)
        database = {"alias": connection.alias, "vendor": connection.vendor, "warm": False}
        self._databases[connection.alias] = database
        started = time.monotonic()
        try:
            if kept is None:
                return create(*args, **kwargs)
            result, database["warm"] = create_from(kept, connection, create, args, kwargs)
            return result
        finally:
            database["seconds"] = time.monotonic() - started


@contextlib.contextmanager
def creating(connections, aliases, create):
    """While this lasts, `create` is called for each `create_test_db` with the original and its arguments."""
    with contextlib.ExitStack() as stack:
        for alias in aliases:
            creation = connections[alias].creation
            create_test_db = _through(create, connections[alias], creation.create_test_db)
            stack.enter_context(replaced(creation, "create_test_db", create_test_db))
        yield


def _through(create, connection, original):
    @functools.wraps(original)
    def create_test_db(*args, **kwargs):
        return create(connection, original, args, kwargs)

    return create_test_db

"""How long the project's runner takes to set up its test databases."""

import contextlib
import functools
import time


class Databases:
    def __init__(self):
        self._databases = {}
        self._seconds = 0.0

    def as_fields(self):
        return {"databases": list(self._databases.values()), "seconds": self._seconds}

    @contextlib.contextmanager
    def being_set_up(self, connections, aliases):
        """`aliases` is None for all of them, as in runners written for older versions of Django."""
        for alias in connections if aliases is None else aliases:
            connection = connections[alias]
            self._databases[alias] = {"alias": alias, "vendor": connection.vendor}
            creation = connection.creation
            creation.create_test_db = self._timed(alias, creation.create_test_db)
        started = time.monotonic()
        yield
        self._seconds = time.monotonic() - started

    def _timed(self, alias, create):
        @functools.wraps(create)
        def timed(*args, **kwargs):
            started = time.monotonic()
            try:
                return create(*args, **kwargs)
            finally:
                self._databases[alias]["seconds"] = time.monotonic() - started

        return timed

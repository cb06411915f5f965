"""The test databases of this pod: how long the project's runner takes for them, and which were kept."""

import contextlib
import functools

from . import janitor
from .channel import ProtocolError
from .clock import monotonic
from .keeper import VENDORS
from .kept import SQLITE, create_from
from .replacing import replaced
from .servers import remove


class Databases:
    def __init__(self, names, events):
        self.names = names
        self._events = events
        self._databases = {}
        self._kept = {}
        self._seconds = 0.0
        self._left = {}
        self._note = "remains"
        self._not_made = None
        self.line = None

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
        started = monotonic()
        aliases = list(connections if aliases is None else aliases)
        self.names.give(connections, aliases)
        if self.line is not None and any(self._is_made_here(connections[alias]) for alias in aliases):
            self._take_from_keeper()
        with creating(connections, aliases, self._create):
            yield
        self._seconds = monotonic() - started

    def _is_made_here(self, connection):
        return connection.alias not in self._kept and not connection.settings_dict["TEST"].get("MIRROR")

    def _take_from_keeper(self):
        for database in self.line.databases(self._kept):
            self._kept.setdefault(database["alias"], database)

    # Where databases are made for others.

    def become_templates(self, not_made):
        """For children to copy, but for aliases that have been kept elsewhere."""
        self.names.are_templates = True
        self._note = "templates"
        self._not_made = not_made

    def prepare_to_keep(self, connections, aliases):
        if self._not_made is not None:
            self.names.give(connections, aliases)

    def may_keep(self, connection):
        """Nothing is kept where others may change it, and nothing is left there, except as a template."""
        if self._not_made is None:
            return not self.names.is_shared(connection)
        if connection.alias in self._not_made or connection.vendor not in VENDORS:
            return False
        if self.names.is_shared(connection) or connection.vendor == SQLITE:
            self._own(connection)
        return True

    def leave_copies(self):
        """Of files the content is told, so they are not in the way of a child's."""
        if self._not_made is not None:
            files = [alias for alias, (connection, _) in self._left.items() if connection.vendor == SQLITE]
            self._remove(files)

    @property
    def are_left(self):
        """Whether this process has any on servers of others."""
        return bool(self._left)

    def remove_left(self):
        """What the project's runner made on shared servers and let be, as it would with `--keepdb`."""
        self._remove(list(self._left))

    def _remove(self, aliases):
        for alias in aliases:
            connection, name = self._left[alias]
            connection.close()
            remove(connection, name)
            self._forget(alias)

    def _create(self, connection, create, args, kwargs):
        kept = self._kept.get(connection.alias)
        database = {"alias": connection.alias, "vendor": connection.vendor, "warm": False}
        self._databases[connection.alias] = database
        if self.names.is_shared(connection):
            self._own(connection)
        started = monotonic()
        try:
            if kept is None:
                return create(*args, **kwargs)
            result, database["warm"] = create_from(
                kept, connection, create, args, kwargs, self.line is not None
            )
            return result
        finally:
            database["seconds"] = monotonic() - started

    def _own(self, connection):
        """Whatever ends this process from here on, the database is removed."""
        creation, alias = connection.creation, connection.alias
        self._left[alias] = connection, str(creation._get_test_db_name())
        self._tell()
        destroy = creation.destroy_test_db

        @functools.wraps(destroy)
        def destroy_test_db(*args, **kwargs):
            result = destroy(*args, **kwargs)
            if not (kwargs.get("keepdb") or len(args) > 2 and args[2]):
                self._forget(alias)
            return result

        creation.destroy_test_db = destroy_test_db

    def _forget(self, alias):
        self._left.pop(alias, None)
        self._tell()

    def _tell(self):
        names = {alias: name for alias, (_, name) in self._left.items()}
        remains = dict(janitor.surroundings(), databases=names) if names else None
        self._events.note(**{self._note: remains})


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

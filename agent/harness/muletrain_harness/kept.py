"""Kept databases: what is told of one that was made, and its use in place of making it again."""

import base64
import contextlib
import hashlib
import importlib
import importlib.util
import os
import tempfile
import zlib

from .copies import copy_on_server
from .replacing import replaced

SQLITE = "sqlite"


class Unlike(BaseException):
    """What is on the server is not the database that was kept."""


def describe(connection, seconds):
    """A database that was just made, as `database` tells it."""
    data = content(connection)
    return {
        "alias": connection.alias,
        "vendor": connection.vendor,
        "name": str(connection.settings_dict["NAME"]),
        "tables": _digest(connection.introspection.table_names()),
        "data": data and base64.b64encode(zlib.compress(data)).decode("ascii"),
        "seconds": seconds,
    }


def content(connection):
    """The bytes of a SQLite database; None of one that stays on its server."""
    if connection.vendor != SQLITE:
        return None
    connection.ensure_connection()
    with _scratch() as path:
        with contextlib.closing(connection.Database.connect(path)) as copy:
            connection.connection.backup(copy)
        with open(path, "rb") as file:
            return file.read()


def create_from(kept, connection, create, args, kwargs, is_reused):
    """Call a `create_test_db` so that it uses what was kept: what it returns, and whether it did.

    `is_reused`: others will begin with it as well, so what is on a server is copied there.
    """
    if kept["vendor"] != connection.vendor:
        return create(*args, **kwargs), False
    if is_reused and connection.vendor != SQLITE and not copy_on_server(kept["name"], connection):
        return create(*args, **kwargs), False
    name = connection.settings_dict["NAME"]
    use = _Use(kept, connection)
    try:
        with use.in_place_of_commands():
            if connection.vendor == SQLITE:
                result = create(*args, **kwargs)
            else:
                result = create(*args[:3], **dict(kwargs, keepdb=True))  # The fourth is `keepdb`.
        return result, use.succeeded
    except Unlike:
        connection.creation.destroy_test_db(name, verbosity=0)
        return create(*args, **kwargs), False


class _Use:
    """Of one kept database, while `create_test_db` runs."""

    def __init__(self, kept, connection):
        self.succeeded = False
        self._kept = kept
        self._connection = connection

    def in_place_of_commands(self):
        from django.core import management

        call_command = management.call_command

        def call(name, *args, **options):
            is_for_all_apps = not args and options.get("database") == self._connection.alias
            if name == "migrate" and is_for_all_apps:
                self._migrate(lambda: call_command(name, **options))
            elif not (name == "createcachetable" and is_for_all_apps and self.succeeded):
                return call_command(name, *args, **options)

        return replaced(management, "call_command", call)

    def _migrate(self, migrate):
        if self._connection.vendor == SQLITE:
            self.succeeded = self._load()
            if not self.succeeded:
                return migrate()
        else:
            tables = self._connection.introspection.table_names()
            self.succeeded = _digest(tables) == self._kept["tables"] and _is_complete(self._connection, tables)
            if not self.succeeded:
                raise Unlike
        _register_receivers()

    def _load(self):
        database = self._connection.Database
        try:
            data = zlib.decompress(base64.b64decode(self._kept["data"]))
            with _scratch() as path:
                with open(path, "wb") as file:
                    file.write(data)
                with contextlib.closing(database.connect(path)) as copy:
                    rows = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                    if not _is_complete(self._connection, [name for name, in rows]):
                        return False
                    self._connection.ensure_connection()
                    copy.backup(self._connection.connection, progress=_refuse_to_wait)
            return True
        except (TypeError, ValueError, zlib.error, database.Error, OSError):
            return False


def _refuse_to_wait(status, *_):
    """`backup` would wait for ever for a database that is locked."""
    if status not in (0, 101):  # SQLITE_OK, SQLITE_DONE
        raise OSError("the test database is in use (SQLite status %d)" % status)


def _is_complete(connection, tables):
    """Whether `migrate` would make no other tables for this pod's models.

    Modules of tests, which are not loaded where databases are made, may declare models of apps that
    have no migrations; `migrate` makes their tables as well.
    """
    from django.apps import apps
    from django.db import router

    converter = connection.introspection.identifier_converter
    return all(
        converter(model._meta.db_table) in tables
        for config in apps.get_app_configs()
        if config.models_module is not None and not _has_migrations(config)
        for model in router.get_migratable_models(config, connection.alias)
        if model._meta.can_migrate(connection)
    )


def _has_migrations(config):
    """As `migrate` decides it, without importing any."""
    from django.db.migrations.loader import MigrationLoader

    module, _ = MigrationLoader.migrations_module(config.label)
    try:
        spec = module and importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    return bool(spec and spec.submodule_search_locations and spec.origin)


def _register_receivers():
    """As `migrate` does before anything else: apps may connect theirs in `management`."""
    from django.apps import apps
    from django.utils.module_loading import module_has_submodule

    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "management"):
            importlib.import_module(".management", config.name)


@contextlib.contextmanager
def _scratch():
    with tempfile.TemporaryDirectory(prefix="muletrain-") as folder:
        yield os.path.join(folder, "database.sqlite3")


def _digest(tables):
    return hashlib.sha256("\n".join(sorted(tables)).encode("utf-8")).hexdigest()

"""Copies of a test database on its own server, so that what one process does there no other one meets."""

from .replacing import replaced

SUFFIX = "1"

OTHER_THAN_TABLES = """
    SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_type <> 'BASE TABLE')
         + (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = %s)
         + (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = %s)
         + (SELECT COUNT(*) FROM information_schema.events WHERE event_schema = %s)
"""
CHARACTERS = """
    SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = %s
"""
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position
"""


def copy_on_server(source, connection):
    """Make the test database a copy of `source`; whether it is one.

    One that would have the source's own name gets the name that Django gives to clones.
    """
    settings, creation = connection.settings_dict, connection.creation
    target = creation._get_test_db_name()
    name, settings["NAME"] = settings["NAME"], source
    try:
        if target == source:
            target = creation.get_test_db_clone_settings(SUFFIX)["NAME"]
        if not (connection.vendor == "mysql" and _copy_tables(connection, source, target)):
            named = dict(settings, NAME=target)
            with replaced(creation, "get_test_db_clone_settings", lambda suffix: named):
                creation.clone_test_db(SUFFIX, verbosity=0, autoclobber=True)
        settings["TEST"]["NAME"] = target
        return True
    except (Exception, SystemExit):  # It cannot be copied: the user may have no right to.
        return False
    finally:
        settings["NAME"] = name


def _copy_tables(connection, source, target):
    """What MySQL has no statement for; False of what holds more than tables, which takes `mysqldump`."""
    quote = connection.ops.quote_name
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(OTHER_THAN_TABLES, [source] * 4)
        if cursor.fetchone()[0]:
            return False
        cursor.execute(CHARACTERS, [source])
        characters = cursor.fetchone()
        cursor.execute(TABLES, [source])
        tables = [table for table, in cursor.fetchall()]
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute("DROP DATABASE IF EXISTS %s" % quote(target))
        cursor.execute("CREATE DATABASE %s CHARACTER SET %s COLLATE %s" % (quote(target), *characters))
        cursor.execute("USE %s" % quote(target))
        for table in tables:
            cursor.execute("SHOW CREATE TABLE %s.%s" % (quote(source), quote(table)))
            cursor.execute(cursor.fetchone()[1])
            cursor.execute(COLUMNS, [source, table])
            columns = ", ".join(quote(column) for column, in cursor.fetchall())
            into, origin = "%s (%s)" % (quote(table), columns), "%s.%s" % (quote(source), quote(table))
            cursor.execute("INSERT INTO %s SELECT %s FROM %s" % (into, columns, origin))
    return True

"""Removes the databases that a worker left on servers: a process of its own, begun when the worker is dead."""

import os
import sys
import time
import warnings

from .servers import remove

PATIENCE = 4.0  # Seconds in which a server should notice that the worker's connections are gone.
PAUSE = 0.1


def surroundings():
    """All that it takes to reach the project's databases once more, noted while the worker lives."""
    return {"environment": dict(os.environ), "folder": os.getcwd(), "path": list(sys.path)}


def main(remains):
    """Never returns. Each of `remains`: `databases` by alias, and the surroundings of whoever made them."""
    surrounded = remains[0]
    os.environ.clear()
    os.environ.update(surrounded["environment"])
    sys.path[:] = surrounded["path"]
    warnings.simplefilter("ignore")  # Only the settings are loaded, which Django finds odd.
    status = 0
    try:
        os.chdir(surrounded["folder"])
        from django.db import connections

        deadline = time.monotonic() + PATIENCE
        for one in remains:
            for alias, name in one["databases"].items():
                _remove(connections[alias], name, deadline)
    except BaseException as error:
        sys.stderr.write("failed to remove test databases: %s: %s\n" % (type(error).__name__, error))
        sys.stderr.flush()
        status = 1
    os._exit(status)


def _remove(connection, name, deadline):
    while True:
        try:
            return remove(connection, name)
        except Exception as error:
            # One that was never made, or is gone, is what is wanted.
            if "does not exist" in str(error) or "doesn't exist" in str(error):
                return None
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE)

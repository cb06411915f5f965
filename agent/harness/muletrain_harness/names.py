"""Names of test databases: what a user wants them to begin with, and what keeps runs on one server apart."""

import hashlib
import os
import re
import sys
import tempfile

from .servers import SQLITE, Server

LIMIT = 58  # PostgreSQL cuts names after 63 bytes, and what a clone adds has to fit.
CLAIMED, UNCLAIMED = "mt", "mu"


def shared_name(name, prefix, mark, token):
    """`test_mt0123456789ab_shop`: of one lease alone. A name that is too long is told by its digest."""
    start = "%s_%s%s_" % (prefix, mark, token)
    room = LIMIT - len(start)
    if len(name.encode("utf-8")) > room:
        digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:8]
        name = "%s_%s" % (re.sub(r"[^A-Za-z0-9_]", "_", name)[: room - 9], digest)
    return start + name


class Names:
    """`prefix` is the user's, or None; `token` tells this lease from all others, None where nobody shares a server."""

    def __init__(self, prefix, token, root):
        self._prefix = prefix
        self._token = token
        self._own_folders = [os.path.realpath(folder) for folder in (root, tempfile.gettempdir())]
        self._servers = {}
        self._given = {}
        self.are_templates = False

    def give(self, connections, aliases):
        """Tell Django, before it makes any of these. Mirrors have no database of their own."""
        for alias in aliases:
            connection = connections[alias]
            test = connection.settings_dict["TEST"]
            if alias not in self._given and not test.get("MIRROR"):
                self._given[alias] = name = self._name(connection, test.get("NAME"))
                if name is not None:
                    test["NAME"] = name

    def is_shared(self, connection):
        """Whether its server, or the folder of its file, is used by other pods as well."""
        if self._token is None or connection.vendor == "oracle":  # Its databases are users.
            return False
        return connection.vendor != SQLITE or self._is_shared_file(connection.settings_dict["TEST"].get("NAME"))

    def _name(self, connection, test_name):
        if connection.vendor in (SQLITE, "oracle"):
            return self._file(test_name) if self.is_shared(connection) else None
        name = str(test_name or connection.settings_dict["NAME"] or "database")
        if self._token is None:
            return self._prefix and "%s_%s" % (self._prefix, name)
        if self.are_templates:
            name = "kept_" + name
        prefix = self._prefix or "test"
        claimed = shared_name(name, prefix, CLAIMED, self._token)
        if self._server(connection).claim(claimed):
            return claimed
        return shared_name(name, prefix, UNCLAIMED, self._token)

    def _server(self, connection):
        settings = connection.settings_dict
        key = tuple(str(settings.get(part)) for part in ("ENGINE", "HOST", "PORT", "USER"))
        if key not in self._servers:
            self._servers[key] = server = Server(connection)
            server.sweep()
            if server.problem is not None:
                sys.stderr.write(
                    "muletrain: no lock can be held on the server of %s, so what a pod that is killed "
                    "leaves there stays: %s\n" % (connection.alias, server.problem)
                )
        return self._servers[key]

    def _file(self, path):
        stem, extension = os.path.splitext(str(path))
        kept = "_kept" if self.are_templates else ""
        return "%s_%s%s%s%s" % (stem, CLAIMED, self._token, kept, extension)

    def _is_shared_file(self, name):
        if not name or str(name) == ":memory:" or str(name).startswith("file:"):
            return False
        path = os.path.realpath(str(name))
        return not any(path.startswith(os.path.join(folder, "")) for folder in self._own_folders)

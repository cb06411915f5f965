"""What is said between `booted` and the end, whatever runner the tests are run with."""

import contextlib
import copy
import sys

from . import PROTOCOL, heap, keeper, manifest, zygote
from .channel import ProtocolError
from .clock import monotonic
from .databases import Databases
from .hooks import attach
from .inventory import survey
from .loading import flatten
from .names import Names
from .parts import Granted
from .places import Apps
from .session import Failed, Finished
from .warming import warm
from .watch import Watch


class Conversation:
    def __init__(self, session, hello):
        names = Names(hello.get("db_prefix"), hello.get("db_token"), hello["root"])
        self.databases = Databases(names, session.events)
        self.is_warming = False
        self.seed = hello.get("shuffle")
        self.is_shuffled = False
        self._session = session
        self._root = hello["root"]
        self.apps = Apps(hello["root"], hello["apps"], hello["suite"]["other"])
        self._missing = []
        self._found = 0
        self._ran = set()
        self._checks_wanted = hello["checks"]
        self._started = monotonic()
        self._has_booted = False
        self._suite = None
        self._entries = {}
        self._runs = None
        self._forks = hello.get("isolation") == "fork"
        self._keeper = None

    def boot(self, django, runner):
        """Say that the project is loaded. Some runners build their suite twice.

        `django` is its version, or empty; `runner` what runs the tests, in words.
        """
        if self._has_booted:
            return
        self._has_booted = True
        fields = {
            "protocol": PROTOCOL,
            "python": sys.version.split()[0],
            "django": django,
            "runner": runner,
            "seconds": monotonic() - self._started,
        }
        if self._forks:
            fields["threads"] = zygote.threads()
        self._session.emit("booted", fields)

    def build_suite(self, find, empty):
        """Collect as often as asked, then give the suite that is assigned, or an empty one to warm.

        `find` takes labels and gives the project's suite and its inventory.
        """
        self._session.enter("collect")
        while self._suite is None:
            command = self._session.commands.next()
            if self._forks and command["type"] in ("collect", "assign"):
                if command["type"] == "assign" and self._fork_keeper():
                    self._keeper_makes_databases(empty)
                    break
                if not zygote.fork(self._session):
                    continue  # A child has done it.
                self._forks = False
            started = monotonic()
            if command["type"] == "finish":
                raise Finished
            if command["type"] == "warm":
                self._prepare_to_warm(empty)
                break
            if command["type"] not in ("collect", "assign"):
                raise ProtocolError("%r is not understood before `assign`" % command["type"])
            if command["type"] == "assign":
                self._session.limits.begin("app")
                if command.get("time_left") is not None:
                    self._session.limits.begin("run", command["time_left"])
                self._session.enter("collect")
            suite, inventory = find(command["labels"])
            if command["type"] == "collect":
                self._say("collected", started, inventory=inventory.as_fields())
                self._session.capture.take()
            else:
                self._plan(command, suite, inventory, started)
        self._session.enter("databases")
        return self._suite

    def _fork_keeper(self):
        """Whether this is it: the process that makes databases once the first child wants some."""
        if self.databases.line is None and not zygote.threads():
            zygote.close_connections()
            self.databases.line, self._keeper = keeper.fork(self._session)
        return self._keeper is not None

    def _keeper_makes_databases(self, empty):
        self.databases.become_templates(self._keeper.wait())
        self.is_warming = True
        self._suite = empty()

    def survey(self, suite, origins, reorder_by, connections):
        """The inventory of a suite of unittest."""
        return survey(flatten(suite), origins, self.apps, reorder_by, connections, self._session.prefix)

    def _prepare_to_warm(self, empty):
        if self._session.trace is None:
            raise ProtocolError("`warm` needs a `hello` whose `trace` is true")
        self.is_warming = True
        self._suite = empty()

    def warm(self, connections, aliases, set_up):
        """In place of all that a run does from `setup_databases` on."""
        started = monotonic()
        databases = warm(connections, aliases, set_up, self.databases)
        if self._keeper is not None:
            self._keeper.give(databases, self.databases.are_left)
        self._session.trace.stop()
        for database in databases:
            self._session.emit("database", database)
        self._say("warmed", started, manifest=manifest.make(self._session.trace, self._root))
        command = self._session.commands.next()
        if command["type"] != "finish":
            raise ProtocolError("%r is not understood after `warm`" % command["type"])
        raise Finished

    def _plan(self, command, suite, inventory, started):
        self.databases.keep(command.get("databases"))
        planned = inventory.of_app(command["app"], command["tests"])
        if self.seed is not None and not self.is_shuffled:
            planned = planned.shuffled(self.seed)
        self._entries = {entry.id: entry for entry in planned.entries}
        self._suite = with_tests(suite, [entry.test for entry in planned.entries])
        self._runs = inventory.runs
        self._found = len(inventory.entries)
        self._missing = [id for id in command["tests"] or () if self._runs(id) not in self._entries]
        self._say("planned", started, inventory=planned.as_fields(), missing=self._missing)

    @contextlib.contextmanager
    def checks(self):
        """Around Django's system checks: whether to run them in this pod."""
        self._session.enter("checks")
        yield self._checks_wanted
        self._session.enter("databases")

    def run_suite(self, suite, run):
        """One grant after the other, each by the project's runner; its result is the last one's."""

        def run_grant(grant, watch, _):
            granted = with_tests(suite, [item.test for item in grant])
            attach(watch, granted)
            return run(granted)

        result = self.take_grants(run_grant)
        result = run(with_tests(suite, [])) if result is None else result
        self._session.enter("teardown")
        return result

    def take_grants(self, run_grant):
        """One grant after the other; what the last one gave, or None."""
        self._session.emit("ready", dict(self.databases.as_fields(), **self._session.capture.take()))
        self._session.enter("run")
        heap.settle()
        result = None
        while True:
            command = self._session.commands.next()
            if command["type"] == "run":
                result = self._run_grant(command, run_grant)
            elif command["type"] == "finish":
                return result
            else:
                raise ProtocolError("%r is not understood after `assign`" % command["type"])

    def _run_grant(self, command, run_grant):
        grant = [Granted(entry, attempt) for entry, attempt in self._tests(command)]
        watch = Watch(self._session, grant)
        result = run_grant(grant, watch, command.get("last", False))
        if watch.left():
            raise Failed(
                "the project's runner ended without running %d of %d tests, %s the first"
                % (len(watch.left()), len(grant), watch.left()[0])
            )
        self._ran.update(granted.entry.id for granted in grant)
        self._session.emit("done", {"grant": command["grant"]})
        self._session.capture.take()
        return result

    def _tests(self, command):
        if command["tests"] is None:
            return [(entry, 1) for entry in self._entries.values()]
        tries = {self._runs(test["id"]): test["try"] for test in command["tests"]}
        for id in tries:
            # The scheduler granted before it could know what is missing.
            if id not in self._entries and id not in self._missing:
                raise ProtocolError("test %s is granted but was not planned" % id)
        if command.get("ordered"):
            return [(self._entries[id], attempt) for id, attempt in tries.items() if id in self._entries]
        # In the order of a serial run, however the grant lists them: what flushes comes last.
        return [(entry, tries[id]) for id, entry in self._entries.items() if id in tries]

    @property
    def has_run_all_it_found(self):
        """Whether nothing of what was loaded is left to other pods, or to nobody."""
        return len(self._ran) == len(self._entries) == self._found

    def end(self):
        """The project's own teardown is through."""
        self.databases.remove_left()
        self._session.is_over = True

    def _say(self, kind, started, **fields):
        self._session.emit(kind, dict(fields, seconds=monotonic() - started))


def with_tests(suite, tests):
    """A suite of the same class, with whatever the project's runner has written to it."""
    other = copy.copy(suite)
    other._tests = list(tests)
    other._removed_tests = 0
    return other

"""The pytest adapter: `pytest` as the project has it, driven by a plugin.

pytest stays in charge of everything but two questions: what to collect, which `pytest_collection`
answers, and what to run next, which `pytest_runtestloop` answers. Its plugins, fixtures and
configuration work as they do without us.
"""

import os
import sys

from . import pytest_exit, workspace
from .clock import monotonic
from .conversation import Conversation
from .failure import failure
from .parts import Fixture
from .pytest_databases import Databases
from .pytest_items import Collection, Skipped
from .pytest_reports import Reports
from .session import Failed

LONG = 0.5  # Seconds of shared fixtures from which on the limit of the test that asked for them counts anew.


def drive(session, hello):
    """Run pytest as a user would, in the suite's folder."""
    suite = hello["suite"]
    folder = os.path.normpath(os.path.join(hello["root"], suite["path"]))
    os.chdir(folder)
    sys.path.insert(0, folder)
    if suite["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = suite["settings"]
    try:
        import pytest
    except ImportError as error:
        raise Failed("pytest cannot be imported (%s): it has to be among what is installed" % error) from error
    plugin = make_plugin(pytest, session, hello)
    sys.argv = ["pytest", *suite["arguments"]]
    # Not in the project's folder, where it would count as something that databases were made from.
    cache = "cache_dir=%s" % workspace.path("pytest")
    status = pytest.main([*suite["arguments"], "--capture=no", "-o", cache], plugins=[plugin])
    plugin.conclude(status)


def make_plugin(pytest, session, hello):
    """An instance of a class that can exist only where pytest does."""

    class Plugin:
        def __init__(self):
            self._conversation = Conversation(session, hello)
            self._collection = Collection(hello, self._conversation.apps, session.prefix)
            self._databases = Databases(self._conversation.databases)
            self._reports = Reports(session.capture)
            self._tail = pytest_exit.Tail()
            self._exit = pytest_exit.Exit(self._tail)
            self._watch = None
            self._session = None
            self._error = None
            self._nesting = 0

        def conclude(self, status):
            """What ended pytest early is raised again; its own exit code may say more than tests do."""
            if self._error is not None:
                raise self._error
            if session.phase != "teardown":
                raise Failed("pytest ended with exit code %d in phase %s" % (status, session.phase))
            if status and not session.red and not self._collection.has_errors:
                self._judge(self._exit.judgement(status, self._session.config))
            self._conversation.end()

        def _judge(self, judgement):
            config = self._session.config
            if self._conversation.has_run_all_it_found and self._collection.is_all_of(config):
                fields = pytest_exit.fixture(judgement, session.prefix)
                session.emit("fixture", dict(fields, **session.capture.take()))
            else:
                session.warn(pytest_exit.warning(judgement))

        # How pytest is set up.

        @pytest.hookimpl(hookwrapper=True)
        def pytest_cmdline_parse(self):
            """One process, no debugger, and stopping early is not pytest's to decide."""
            outcome = yield
            option = outcome.get_result().option
            for name, value in (("maxfail", 0), ("usepdb", False), ("trace", False)):
                setattr(option, name, value)
            if hasattr(option, "numprocesses"):  # pytest-xdist.
                option.numprocesses, option.dist, option.tx, option.looponfail = 0, "no", [], False

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            """Dots and summaries would land in the tests' output."""
            reporter = config.pluginmanager.getplugin("terminalreporter")
            writer = getattr(reporter, "_tw", None)
            if writer is not None:
                writer._file = self._tail

        def pytest_sessionstart(self, session):
            self._exit.watch(session)

        # What there is.

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self, session):
            self._session = session
            self._conversation.boot(_django_version(), "pytest %s" % pytest.__version__)
            find = lambda labels: (self._collection, self._collection.find(session, labels))  # noqa: E731
            self._collection = self._conversation.build_suite(find, lambda: self._collection)
            session.testscollected = 1  # That there is nothing to run is for others to say.
            if self._conversation.is_warming:
                self._databases.warm(session, self._conversation)
            return True

        def pytest_exception_interact(self, node, call, report):
            self._collection.note_exception(report, call.excinfo.value)

        def pytest_collectreport(self, report):
            self._collection.note_report(report)

        # What runs.

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session):
            self._databases.set_up(session, self._collection.planned())
            self._conversation.take_grants(self._run_grant)
            enter_teardown()
            self._tail.restart()
            session._setupstate.teardown_exact(None)
            return True

        def _run_grant(self, grant, watch, is_last):
            self._watch = watch
            with watch.run():
                self._tear_down_before(grant)
                for index, granted in enumerate(grant):
                    self._collection.note_run(granted.test)
                    watch.begin(granted.test)
                    self._run(granted, self._next(grant[index + 1 :], granted, is_last))
                    watch.settle()

        def _run(self, granted, following):
            if isinstance(granted.test, Skipped):
                granted.outcome.add_skip(granted.test.reason)
                return
            self._reports.begin(granted.outcome)
            granted.test.config.hook.pytest_runtest_protocol(item=granted.test, nextitem=following)
            self._reports.end()

        def _next(self, rest, granted, is_last):
            """The item that decides which shared fixtures stay: the next one, or one that may well be next."""
            following = next((other.test for other in rest if not isinstance(other.test, Skipped)), None)
            if following is None and not is_last and not isinstance(granted.test, Skipped):
                return self._collection.likely_next(granted.test)
            return following

        def _tear_down_before(self, grant):
            """What an earlier grant left set up and this one has no use for."""
            items = [granted.test for granted in grant if not isinstance(granted.test, Skipped)]
            if not items or not self._session._setupstate.stack:
                return
            try:
                self._session._setupstate.teardown_exact(items[0])
            except Exception as error:
                fixture = Fixture("teardown before %s" % grant[0].entry.id)
                fixture.failures.append(failure("error", error))
                session.red += 1
                session.emit("fixture", dict(fixture.as_fields(), **session.capture.take()))

        @pytest.hookimpl(hookwrapper=True)
        def pytest_fixture_setup(self, fixturedef):
            """Fixtures that several tests share count for the class that needed them first."""
            if self._watch is None or fixturedef.scope == "function" or self._nesting:
                yield
                return
            self._nesting, started = 1, monotonic()
            try:
                yield
            finally:
                self._nesting = 0
                self._watch.fixture_took(True, monotonic() - started, LONG)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_teardown(self, item, nextitem):
            started = monotonic()
            yield
            if nextitem is None or nextitem.parent is not item.parent:
                self._watch.fixture_took(False, monotonic() - started, LONG)

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(self, item, call):
            outcome = yield
            if call.excinfo is not None:
                self._reports.note_exception(outcome.get_result(), call.excinfo.value)

        def pytest_runtest_logreport(self, report):
            self._reports.hear(report)

        # How it ends.

        def pytest_internalerror(self, excinfo):
            self._error = excinfo.value
            return True

        def pytest_keyboard_interrupt(self, excinfo):
            self._error = excinfo.value

    def enter_teardown():
        session.enter("teardown")

    return Plugin()


def _django_version():
    """Empty where the project does without Django."""
    if "django" not in sys.modules:
        return ""
    from django import get_version

    return get_version()

"""Watches one grant being run by the project's own runner, and tells it as events."""

import contextlib
import itertools
import unittest.util

from . import memory
from .clock import monotonic
from .failure import failure
from .outcome import RED
from .parts import Fixture, Shift


NOTHING = {"output": "", "output_omitted": 0}


class Watch:
    """Knows what of the grant is still to come and what is running: a test, a fixture or neither."""

    def __init__(self, session, grant):
        self._session = session
        self._waiting = {id(granted.test): granted for granted in grant}
        self._running = None
        self._fixture = None
        self._class = None
        self._counts_memory = False
        self._shift = None
        if session.limits.has("app"):
            session.events.note(tests={"app": [granted.entry.id for granted in grant]})

    def left(self):
        """Ids of the tests that nothing was heard of."""
        return [granted.entry.id for granted in self._waiting.values()]

    # What the suite does, in its order.

    @contextlib.contextmanager
    def run(self):
        self._session.capture.take()
        try:
            yield
        except BaseException as error:
            self._blame(error)
            raise
        finally:
            self.settle()
            self._end_shift()

    @contextlib.contextmanager
    def class_fixture(self, kind, cls, test):
        with self._watched(kind, unittest.util.strclass(cls), test, lambda other: type(other) is cls):
            yield

    @contextlib.contextmanager
    def module_fixture(self, kind, module, test):
        with self._watched(kind, module, test, lambda other: type(other).__module__ == module):
            yield

    def begin(self, test):
        granted = self._waiting.pop(id(test), None)
        if granted is None:
            return
        self.settle()
        self._enter_class(granted)
        self._running = granted
        self._session.announce(granted.as_fields())
        self._session.emit("started", granted.as_fields())
        granted.started = monotonic()

    def settle(self):
        """The running test is through: no outcome can be added any more."""
        self._session.events.end_forked_copy()
        granted, self._running = self._running, None
        if granted is None:
            return
        seconds = monotonic() - granted.started
        self._session.announce(None)
        self._finish(granted, granted.outcome, seconds, self._session.capture.take())

    # What the result object is told.

    def failed(self, test, verdict, exception):
        if self._fixture is not None:
            self._fixture.failures.append(failure("error", exception))
            return
        if self._running is None:
            self.begin(test)
        if self._running is not None:
            self._running.outcome.add_failure(verdict, exception, self._subtest(test))
            return
        stray = Fixture(test.id())
        stray.failures.append(failure("error", exception))
        self._session.emit("fixture", dict(stray.as_fields(), **self._output()))

    def fixture_took(self, is_set_up, seconds, long):
        """Of the running test's time, what belongs to fixtures that it shares with others.

        The time limit counts anew after a `long` one, and so it is told that the test begins.
        """
        granted = self._running
        if granted is None:
            return
        granted.started += seconds
        self._begin_shift(granted)
        self._shift.add(is_set_up, seconds, NOTHING)
        if is_set_up and seconds >= long:
            self._session.announce(granted.as_fields())
            self._session.emit("started", granted.as_fields())

    def skipped(self, test, reason):
        if self._fixture is not None:
            self._fixture.reason = str(reason)
            return
        if self._running is None:
            self.begin(test)
        if self._is_running(getattr(test, "test_case", test)):
            self._running.outcome.add_skip(reason)

    def ended(self, test, verdict):
        if self._is_running(test):
            self._running.outcome.add(verdict)

    def _is_running(self, test):
        return self._running is not None and test is self._running.test

    def _subtest(self, test):
        """`(i=1)` of a subtest, which unittest writes after the id of its test."""
        parent = getattr(test, "test_case", None)
        return test.id()[len(parent.id()) :].strip() if self._is_running(parent) else None

    # Fixtures.

    @contextlib.contextmanager
    def _watched(self, kind, owner, test, is_member):
        outer, fixture = self._fixture, self._fixture_for(kind, owner, test, is_member)
        if kind == "setUpClass" and fixture.members:
            self._enter_class(fixture.members[0])
        self._fixture = fixture
        self._session.announce({"fixture": fixture.as_fields()})
        try:
            yield
        except BaseException as error:
            fixture.failures.append(failure("error", error))
            self._session.ended_by_test = True
            raise
        finally:
            self._fixture = outer
            if kind == "tearDownClass":
                self._session.limits.end("class")
            self._session.announce(outer and {"fixture": outer.as_fields()})
            self._conclude(fixture)
            if outer is not None:
                outer.started = monotonic()

    def _fixture_for(self, kind, owner, test, is_member):
        id = "%s%s (%s)" % (self._session.prefix, kind, owner)
        if not kind.startswith("setUp"):
            shift = self._shift if kind == "tearDownClass" else None
            return Fixture(id, class_id=shift and shift.class_id)
        ahead = itertools.dropwhile(lambda g: g.test is not test, self._waiting.values())
        members = list(itertools.takewhile(lambda g: is_member(g.test), ahead))
        class_id = members[0].entry.group.id if members and kind == "setUpClass" else None
        return Fixture(id, is_set_up=True, class_id=class_id, members=members)

    def _conclude(self, fixture):
        seconds = monotonic() - fixture.started
        if fixture.is_set_up and fixture.members:
            self._begin_shift(fixture.members[0])
        output = self._output()
        if fixture.failures:
            self._session.red += 1
            self._session.emit("fixture", dict(fixture.as_fields(), **output))
            self._strike(fixture)
        elif fixture.reason is not None and fixture.members:
            self._skip_members(fixture, output)
        elif fixture.reason is not None:
            self._session.emit("fixture", dict(fixture.as_fields("skipped"), **output))
        elif self._shift is not None:
            self._shift.add(fixture.is_set_up, seconds, output)

    def _strike(self, fixture):
        for granted in fixture.members:
            self._waiting.pop(id(granted.test), None)

    def _skip_members(self, fixture, output):
        self._strike(fixture)
        for granted in fixture.members:
            granted.outcome.add_skip(fixture.reason)
            self._session.emit("started", granted.as_fields())
            self._finish(granted, granted.outcome, 0.0, output)
            output = self._output()

    def _enter_class(self, granted):
        """Its time and its memory count from here on. What is before it is over."""
        cls = granted.entry.unit
        if self._class is cls:
            return
        self._class = cls
        if self._shift is not None and self._shift.cls is not cls:
            self._end_shift()
        self._counts_memory = self._session.restart_peak()
        self._session.limits.begin("class")
        if self._session.limits.has("class"):
            same = [other.entry.id for other in (granted, *self._waiting.values()) if other.entry.unit is cls]
            self._session.events.note(tests={"class": same})

    def _begin_shift(self, granted):
        cls = granted.entry.unit
        if self._shift is None or self._shift.cls is not cls:
            self._end_shift()
            self._shift = Shift(cls, granted.entry.group.id)

    def _end_shift(self):
        shift, self._shift = self._shift, None
        if shift is not None:
            peak = memory.peak_kib() if self._counts_memory else None
            self._session.emit("class", dict(shift.as_fields(), peak_kib=peak))

    # The ways out.

    def _blame(self, error):
        """What leaves a test past unittest (KeyboardInterrupt) is that test's error."""
        if self._running is not None:
            self._running.outcome.add_failure("error", error)
            self._session.ended_by_test = True

    def _finish(self, granted, outcome, seconds, output):
        self._session.finished += 1
        self._session.red += outcome.verdict in RED
        fields = {
            "verdict": outcome.verdict,
            "seconds": seconds,
            "reason": outcome.reason,
            "failures": outcome.failures,
        }
        self._session.emit("finished", dict(granted.as_fields(), **fields, **output))

    def _output(self):
        return self._session.capture.take()

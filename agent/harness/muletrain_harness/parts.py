"""What a grant is made of: its tests, and the fixtures around them."""

from .capture import join
from .clock import monotonic
from .outcome import Outcome


class Granted:
    """One test of a grant: its entry, which try this is, and the object that runs."""

    def __init__(self, entry, attempt):
        self.entry = entry
        self.attempt = attempt
        self.test = entry.take_test()
        self.outcome = Outcome()
        self.started = None

    def as_fields(self):
        return {"test": self.entry.id, "try": self.attempt}


class Fixture:
    """A set-up or tear-down of a class or module, and the tests that fall with it."""

    def __init__(self, id, is_set_up=False, class_id=None, members=()):
        self.is_set_up = is_set_up
        self.members = members
        self.failures = []
        self.reason = None
        self.started = monotonic()
        self._id = id
        self._class_id = class_id

    def as_fields(self, verdict="error"):
        return {
            "id": self._id,
            "class": self._class_id,
            "verdict": verdict,
            "reason": self.reason,
            "failures": self.failures,
            "tests": [granted.entry.id for granted in self.members],
        }


class Shift:
    """The time between the first set-up for a class and the last tear-down after it."""

    def __init__(self, cls, class_id):
        self.cls = cls
        self.class_id = class_id
        self._seconds = {True: 0.0, False: 0.0}
        self._output = []

    def add(self, is_set_up, seconds, output):
        self._seconds[is_set_up] += seconds
        self._output.append(output)

    def as_fields(self):
        seconds = {"setup_seconds": self._seconds[True], "teardown_seconds": self._seconds[False]}
        return dict(seconds, **{"class": self.class_id}, **join(self._output))

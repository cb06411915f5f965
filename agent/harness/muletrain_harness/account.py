"""What the supervisor knows of the worker, from the notes that the worker writes to it alone."""

import time

DUMP_GRACE = 0.3  # Seconds past a time limit in which the worker dumps its stacks.
EXIT_GRACE = 5.0  # Seconds that the project's `atexit` hooks have after `closed`.


class Account:
    def __init__(self, capture):
        self.deadline = None
        self.exceeded = None
        self.subject = None
        self.is_closed = False
        self.remains = None
        self.templates = None
        self.peak_kib = 0
        self.child = None
        self.child_end = None
        self._capture = capture
        self._limit = None
        self._tests = {}
        self._begun = set()

    def note(self, **changes):
        for name, value in changes.items():
            getattr(self, "_note_" + name)(value)

    def exceed(self):
        """The time is up: whatever runs is ended for it."""
        self.deadline = None
        self.exceeded = self._limit

    def others(self):
        """Tests that fall with what is running, where the limit is for more than that."""
        tests = self._tests.get(self.exceeded["of"], ()) if self.exceeded else ()
        return [test for test in tests if test not in self._begun]

    def child_is_gone(self):
        """Ready for the next one, where each app is a forked child."""
        self.child = self.child_end = self.deadline = self.subject = None
        self.is_closed = False
        self._tests = {}
        self._begun = set()

    def _note_output_limit(self, limit):
        self._capture.limit = limit

    def _note_running(self, running):
        """`subject`: a test, a fixture, a phase or None; `limit`: which is up first, or None."""
        self.subject, self._limit = running["subject"], running["limit"]
        if self.subject is not None and "test" in self.subject:
            self._begun.add(self.subject["test"])
        self.deadline = None
        if self._limit is not None:
            self.deadline = time.monotonic() + self._limit["left"] + DUMP_GRACE

    def _note_tests(self, tests):
        """By `class` or `app`, those that are to come."""
        self._tests.update(tests)

    def _note_closed(self, _):
        self.is_closed = True
        self.subject = self._limit = None
        self.deadline = time.monotonic() + EXIT_GRACE

    def _note_remains(self, remains):
        """What is to be removed should the worker end here, or None."""
        self.remains = remains

    def _note_templates(self, templates):
        """The same of what forked children copy, which is there for as long as the pod."""
        self.templates = templates

    def _note_peak_kib(self, peak_kib):
        self.peak_kib = max(self.peak_kib, peak_kib)

    def _note_child(self, pid):
        self.child = pid

    def _note_child_end(self, end):
        self.child_end = end

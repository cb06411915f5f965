"""How long a test or a fixture, its class, its app and its run may still take."""

from .clock import monotonic


class Limits:
    """A limit that is None does not end; those of a class and of an app count from where they begin.

    The run has begun before its pods, which are told what is left of its time.
    """

    def __init__(self, test=None, of_class=None, app=None, run=None):
        self._seconds = {"test": test, "class": of_class, "app": app, "run": run}
        self._ends = {}

    def has(self, kind):
        return self._seconds[kind] is not None

    def begin(self, kind, left=None):
        if self.has(kind):
            self._ends[kind] = monotonic() + (self._seconds[kind] if left is None else left)

    def end(self, kind):
        self._ends.pop(kind, None)

    def nearest(self, with_test):
        """The limit that is up first, as the supervisor is told it, or None."""
        now = monotonic()
        left = {kind: max(0.0, end - now) for kind, end in self._ends.items()}
        if with_test and self.has("test"):
            left["test"] = self._seconds["test"]
        if not with_test:
            # Nobody is to blame for what is around tests when the time of the run is up.
            left.pop("run", None)
        if not left:
            return None
        kind = min(left, key=left.get)
        return {"of": kind, "seconds": self._seconds[kind], "left": left[kind]}

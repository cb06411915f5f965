"""How long a test or a fixture, its class and its app may still take."""

from .clock import monotonic


class Limits:
    """A limit that is None does not end; those of a class and of an app count from where they begin."""

    def __init__(self, test=None, of_class=None, app=None):
        self._seconds = {"test": test, "class": of_class, "app": app}
        self._ends = {}

    def has(self, kind):
        return self._seconds[kind] is not None

    def begin(self, kind):
        if self.has(kind):
            self._ends[kind] = monotonic() + self._seconds[kind]

    def end(self, kind):
        self._ends.pop(kind, None)

    def nearest(self, with_test):
        """The limit that is up first, as the supervisor is told it, or None."""
        now = monotonic()
        left = {kind: max(0.0, end - now) for kind, end in self._ends.items()}
        if with_test and self.has("test"):
            left["test"] = self._seconds["test"]
        if not left:
            return None
        kind = min(left, key=left.get)
        return {"of": kind, "seconds": self._seconds[kind], "left": left[kind]}

"""What one test reported while it ran, and the verdict that follows. Pure."""

from .failure import failure

SILENT = "the test returned without an outcome"
RANKS = ("passed", "skipped", "expected_failure", "unexpected_success", "failed", "error")
RED = RANKS[3:]


class Outcome:
    """The worst of what was reported wins, all failures are kept."""

    def __init__(self):
        self.failures = []
        self._verdicts = []
        self._reason = SILENT

    def add(self, verdict):
        self._verdicts.append(verdict)

    def add_failure(self, verdict, exception, subtest=None):
        """`verdict` is `failed` or `error`."""
        self.add(verdict)
        kind = "failure" if verdict == "failed" else "error"
        self.failures.append(failure(kind, exception, subtest))

    def add_skip(self, reason):
        """Of the test or of one of its subtests; unittest calls neither a success."""
        self.add("skipped")
        self._reason = str(reason)

    @property
    def verdict(self):
        """A class whose `run` does nothing has passed nothing."""
        return max(self._verdicts, key=RANKS.index, default="skipped")

    @property
    def reason(self):
        return self._reason if self.verdict == "skipped" else None

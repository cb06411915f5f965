"""What one test reported while it ran, and the verdict that follows. Pure."""

from .failure import failure

RANKS = ("passed", "skipped", "expected_failure", "unexpected_success", "failed", "error")


class Outcome:
    """The worst of what was reported wins, all failures are kept."""

    def __init__(self):
        self.failures = []
        self._verdicts = []
        self._reason = None
        self._subtest_skipped = False
        self._subtest_passed = False

    def add(self, verdict):
        self._verdicts.append(verdict)

    def add_failure(self, verdict, exception, subtest=None):
        """`verdict` is `failed` or `error`."""
        self.add(verdict)
        kind = "failure" if verdict == "failed" else "error"
        self.failures.append(failure(kind, exception, subtest))

    def add_skip(self, reason):
        self.add("skipped")
        self._reason = str(reason)

    def add_subtest_skip(self, reason):
        self._subtest_skipped = True
        self._reason = self._reason or str(reason)

    def add_subtest_pass(self):
        self._subtest_passed = True

    @property
    def verdict(self):
        if self._verdicts:
            return max(self._verdicts, key=RANKS.index)
        only_skips = self._subtest_skipped and not self._subtest_passed
        return "skipped" if only_skips else "passed"

    @property
    def reason(self):
        return self._reason if self.verdict == "skipped" else None

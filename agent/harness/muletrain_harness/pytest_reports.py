"""What pytest reports of a running test, as its outcome."""

import os

from .failure import class_name, clip, relative_in

EXCEPTION = "_muletrain_exception"
SUMMARY = "contains "  # Of the subtests that failed, each of which was reported.
UNEXPECTED = ("[XPASS(strict)]", "Unexpected success")


class Reports:
    def __init__(self, capture):
        self._capture = capture
        self._outcome = None
        self._logs = []

    def begin(self, outcome):
        self._outcome = outcome
        self._logs = []

    def end(self):
        """What was logged is shown where a test went wrong, as pytest does."""
        if self._outcome.failures:
            for title, text in self._logs:
                os.write(self._capture.descriptor, ("--- %s ---\n%s\n" % (title, text)).encode("utf-8", "replace"))
        self._outcome = None

    def note_exception(self, report, exception):
        """Beside the text that pytest makes of it; reports of subtests are made from this one."""
        setattr(report, EXCEPTION, exception)

    def hear(self, report):
        if self._outcome is None or report.outcome == "rerun":  # pytest-rerunfailures: another try follows.
            return
        self._logs = [section for section in report.sections if section[0].startswith("Captured log")] or self._logs
        if report.failed:
            self._failed(report)
        elif is_subtest(report):
            pass  # pytest counts neither one that passed nor one that was skipped.
        elif report.skipped and hasattr(report, "wasxfail"):
            self._outcome.add("expected_failure")
        elif report.skipped:
            self._outcome.add_skip(reason(report))
        elif report.when == "call":
            self._outcome.add("passed")

    def _failed(self, report):
        text = report.longreprtext
        if report.when == "call" and text.startswith(UNEXPECTED):
            self._outcome.add("unexpected_success")
            return
        if text.startswith(SUMMARY) and self._outcome.failures:
            return
        exception = getattr(report, EXCEPTION, None)
        is_failure = isinstance(exception, AssertionError) or class_name(type(exception)) == "Failed"
        self._outcome.add("failed" if report.when == "call" else "error")
        self._outcome.failures.append(
            {
                "kind": "failure" if report.when == "call" and is_failure else "error",
                "exception": class_name(type(exception)) if exception is not None else "Failed",
                "message": clip(_message(exception, text)),
                "traceback": clip(relative_in(text)),
                "subtest": description(report) if is_subtest(report) else None,
            }
        )


def _message(exception, text):
    try:
        return str(exception) if exception is not None else text.strip().rpartition("\n")[2]
    except Exception:
        return "<unprintable %s>" % type(exception).__name__


def is_subtest(report):
    """pytest's own since 9, pytest-subtests before."""
    return hasattr(report, "context")


def description(report):
    """As pytest writes it: `[message] (i=1)`."""
    context = report.context
    message = "[%s]" % context.msg if context.msg is not None else ""
    values = ", ".join("%s=%s" % pair for pair in (context.kwargs or {}).items())
    return " ".join(part for part in (message, values and "(%s)" % values) if part) or "(<subtest>)"


def reason(report):
    """Of a skip, without the word `Skipped` that pytest begins it with."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text[len("Skipped: ") :] if text.startswith("Skipped: ") else text

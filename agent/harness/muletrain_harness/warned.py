"""Python's warnings in this process: those that would be printed, each text and place once, counted."""

import warnings

from .failure import class_name

DISTINCT = 200
TEXT = 2000


class Warned:
    """They are printed as before; filters, and tests that record warnings, stay in charge."""

    def __init__(self, place):
        self._place = place
        self._counts = {}
        self._omitted = 0
        self._show = warnings.showwarning
        warnings.showwarning = self._note

    def _note(self, message, category, filename, lineno, file=None, line=None):
        if file is None:
            self._count((class_name(category), str(message)[:TEXT], filename, lineno))
        self._show(message, category, filename, lineno, file, line)

    def add(self, text):
        """One of the harness, about no line of the project."""
        self._count(("RuntimeWarning", text[:TEXT], "muletrain", 0))

    def _count(self, key):
        if key in self._counts or len(self._counts) < DISTINCT:
            self._counts[key] = self._counts.get(key, 0) + 1
        else:
            self._omitted += 1

    def as_fields(self):
        """None where there were no warnings."""
        if not self._counts:
            return None
        names = ("category", "message", "file", "line", "count")
        rows = []
        for (category, text, path, line), count in self._counts.items():
            rows.append((category, text, self._place(path) or "", line or 0, count))
        return {"warnings": [dict(zip(names, row)) for row in rows], "omitted": self._omitted}

"""JUnit XML files that a command writes: any dialect, nothing fetched, and bounded."""

import glob
import os
import xml.parsers.expat

from .failure import clip

FILE_LIMIT = 64 << 20  # Bytes.
FILES_LIMIT = 1000
CASES_LIMIT = 100000
NAME_LIMIT = 1000  # Characters.
CHUNK = 65536
VERDICTS = {"failure": "failed", "error": "error", "skipped": "skipped"}


class Unreadable(Exception):
    """A file that is no such report, or more of one than is read."""


class Files:
    """Those that match and were written since this was made: what a checkout brings along is not news."""

    def __init__(self, globs, folders):
        self._patterns = [os.path.join(glob.escape(folder), name) for folder in folders for name in globs]
        self._before = self._look()
        self.are_there = False

    def read(self):
        """The cases, and what is wrong with files, in words. A bad file costs only itself."""
        cases, problems = [], []
        written = sorted(path for path, seen in self._look().items() if self._before.get(path) != seen)
        self.are_there = bool(written)
        if len(written) > FILES_LIMIT:
            problems.append("%d files match; the first %d are read" % (len(written), FILES_LIMIT))
        for path in written[:FILES_LIMIT]:
            try:
                Report(cases).read(path)
            except (Unreadable, OSError, xml.parsers.expat.ExpatError) as error:
                problems.append("%s cannot be read: %s" % (os.path.basename(path), error))
        return cases, problems

    def _look(self):
        seen = {}
        for pattern in self._patterns:
            for path in glob.iglob(pattern, recursive=True):
                try:
                    status = os.stat(path)
                except OSError:
                    continue
                seen[os.path.realpath(path)] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return seen


class Case:
    def __init__(self, attributes):
        self.id = None
        self.name = _name(attributes.get("name")) or "(unnamed)"
        self.classname = _name(attributes.get("classname") or attributes.get("class")) or "(none)"
        self.file = _name(attributes.get("file"))
        self.line = int(attributes["line"]) if attributes.get("line", "").isdigit() else None
        self._seconds = _seconds(attributes.get("time"))
        self._verdict = "passed"
        self._reason = None
        self._failures = []
        self._output = []

    def add(self, element, attributes, text):
        if element in ("system-out", "system-err"):
            self._output.append(text)
            return
        verdict = VERDICTS[element]
        message = attributes.get("message") or text.strip().partition("\n")[0]
        if verdict == "skipped":
            self._reason = message or None
            self._verdict = verdict if self._verdict == "passed" else self._verdict
            return
        self._verdict = "error" if "error" in (verdict, self._verdict) else verdict
        failure = {"kind": element, "exception": _name(attributes.get("type")) or element}
        failure.update(message=clip(message), traceback=clip(text or message), subtest=None)
        self._failures.append(failure)

    def as_fields(self):
        return {
            "verdict": self._verdict,
            "seconds": self._seconds,
            "reason": self._reason if self._verdict == "skipped" else None,
            "failures": self._failures,
            "output": clip("".join(self._output)),
            "output_omitted": 0,
        }


class Report:
    """Reads one file; every complete case in it is added to `cases`."""

    def __init__(self, cases):
        self._cases = cases
        self._case = None
        self._element = None
        self._text = []
        self._depth = 0
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        # Entities can grow a small file beyond all memory; no report needs one of its own.
        self._parser.EntityDeclHandler = self._refuse_entities

    def read(self, path):
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > FILE_LIMIT:
                raise Unreadable("it is larger than %d MiB" % (FILE_LIMIT >> 20))
            while True:
                data = file.read(CHUNK)
                self._parser.Parse(data, not data)
                if not data:
                    return

    def _start(self, name, attributes):
        self._depth += 1
        if self._depth == 1 and name not in ("testsuites", "testsuite"):
            raise Unreadable("its root is <%s>, not <testsuites> or <testsuite>" % name[:100])
        if name == "testcase":
            if len(self._cases) >= CASES_LIMIT:
                raise Unreadable("there are more than %d cases" % CASES_LIMIT)
            self._case = Case(attributes)
        elif self._case is not None and (name in VERDICTS or name in ("system-out", "system-err")):
            self._element, self._text = (name, attributes), []

    def _characters(self, text):
        if self._element is not None:
            self._text.append(text)

    def _end(self, name):
        self._depth -= 1
        if self._element is not None and name == self._element[0]:
            self._case.add(*self._element, "".join(self._text))
            self._element = None
        elif name == "testcase" and self._case is not None:
            self._cases.append(self._case)
            self._case = None

    def _refuse_entities(self, name, *_):
        raise Unreadable("it declares the entity %s, which no report needs" % name[:100])


def _name(text):
    return (text or "").replace("\0", "")[:NAME_LIMIT]


def _seconds(text):
    """Thousands of seconds may be written with commas; what is no time is none."""
    try:
        seconds = float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds < 1e9 else 0.0

"""Talks to a harness as the agent does: a real process, the package as a zip on its standard input."""

import io
import json
import os
import pathlib
import select
import subprocess
import sys
import time
import zipfile

HARNESS = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 60.0

SUITE = {"name": "suite", "path": "", "environment": {}, "other": "(other)", "prefix": ""}
SUITES = {
    "django": {"manage": "manage.py", "settings": None},
    "pytest": {"settings": None, "arguments": []},
    "unittest": {"arguments": []},
    "command": {"command": None, "list": None, "junit": []},
}


def package():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as files:
        for path in sorted(HARNESS.glob("muletrain_harness/*.py")):
            files.write(path, path.relative_to(HARNESS))
    return archive.getvalue()


class Pod:
    """One harness. Leaving the `with` block ends it and all that it started."""

    def __init__(self, project, env=None):
        self.project = project
        self.events = []
        self._buffer = b""
        self.process = subprocess.Popen(
            [os.environ.get("HARNESS_PYTHON", sys.executable), "-c", (HARNESS / "bootstrap.py").read_text()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=project.root,
            env=dict(os.environ, **(env or {})),
        )
        archive = package()
        self.process.stdin.write(b"%d\n" % len(archive) + archive)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()

    def send(self, kind, **fields):
        self.send_line(json.dumps(dict(fields, type=kind)))

    def send_line(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hello(self, **options):
        self.send_hello(**options)
        return self.until("booted")

    def send_hello(self, **options):
        """`options` of the suite are told apart from those of the pod by their names."""
        suite = dict(SUITES.get(options.get("adapter"), SUITES["django"]), **SUITE)
        suite.update({name: options.pop(name) for name in list(options) if name in suite})
        hello = {
            "protocol": 1,
            "root": str(self.project.root),
            "run": "run-1",
            "suite": suite,
            "adapter": "django",
            "apps": self.project.apps,
            "test_timeout": None,
            "checks": True,
            "output_limit": 65536,
        }
        self.send("hello", **dict(hello, **options))

    def collect(self, *labels):
        self.send("collect", labels=labels)
        return self.until("collected")["inventory"]

    def assign(self, app="shop", labels=(), tests=None, databases=None, time_left=None):
        self.send("assign", app=app, labels=labels, tests=tests, databases=databases, time_left=time_left)
        return self.until("ready")

    def match(self, *manifests):
        """The number of the first manifest that holds, or None."""
        candidates = [{"id": number, "manifest": manifest} for number, manifest in enumerate(manifests)]
        self.send("match", root=str(self.project.root), candidates=candidates)
        return self.until("matched")["id"]

    def warm(self):
        self.send("warm")
        return self.until("warmed")

    def run(self, tests=None, grant=1):
        self.send("run", grant=grant, tests=tests)
        return self.until("done")

    def finish(self):
        self.send("finish")
        return self.until("closed")

    def whole(self, app="shop", databases=None, time_left=None, **options):
        """From `hello` to the end, whatever the end is."""
        steps = (
            lambda: self.hello(**options),
            lambda: self.assign(app, databases=databases, time_left=time_left),
            self.run,
            self.finish,
        )
        all(step() for step in steps)
        self.process.wait(PATIENCE)
        return self

    def until(self, kind):
        """The next event of a kind, or None where the worker ends before it comes."""
        while True:
            event = self.next()
            if event["type"] == kind:
                return event
            if event["type"] in ("exited", "closed"):
                return None

    def rest(self):
        """Everything up to the end of the pod."""
        self._buffer += self.process.stdout.read()
        self.events += [json.loads(line) for line in self._buffer.decode("utf-8").splitlines()]
        self._buffer = b""
        return self

    def next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self.process.stdout], [], [], deadline - time.monotonic())
            assert readable, "nothing was heard for %g s after %r" % (PATIENCE, self.events[-3:])
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, "no more events: %s" % self.process.stderr.read().decode()
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.events.append(json.loads(line.decode("utf-8")))
        return self.events[-1]

    def ended(self):
        """The exit code; nothing may follow the last event."""
        assert self.process.stdout.read() == b"" and self._buffer == b""
        return self.process.wait(PATIENCE)

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    def one(self, kind):
        (event,) = self.of(kind)
        return event

    def finished(self, name):
        """The `finished` of the one test whose id ends so."""
        (event,) = [event for event in self.of("finished") if event["test"].endswith("." + name)]
        return event

    def verdicts(self):
        return {event["test"].rpartition(".tests.")[2]: event["verdict"] for event in self.of("finished")}

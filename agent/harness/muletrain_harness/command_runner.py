"""The command adapter: any command in any language, its results from the JUnit XML files it writes.

A job is a test: it passed if its command ended with 0 and wrote what it promised. What its files
tell of is found only then, and told as further tests.
"""

import os
import subprocess

from . import workspace
from .command_jobs import Job, JobEntry, JobInventory, Jobs, found
from .conversation import Conversation
from .ending import describe
from .junit_files import Files, Unreadable
from .session import Failed

JOB_LIMIT = 10000
LIST_TIMEOUT = 600.0  # Seconds.


def drive(session, hello):
    Runner(session, hello).run()


class Runner:
    def __init__(self, session, hello):
        self._session = session
        self._suite = hello["suite"]
        self._folder = os.path.normpath(os.path.join(hello["root"], self._suite["path"]))
        self._conversation = Conversation(session, hello)
        self._app = hello["suite"]["other"]

    def run(self):
        os.chdir(self._folder)
        self._conversation.boot("", self._suite["command"])
        self._conversation.build_suite(lambda labels: (Jobs(), self._find(labels)), Jobs)
        self._conversation.take_grants(self._run_grant)
        self._session.enter("teardown")
        self._conversation.end()

    # What there is.

    def _find(self, labels):
        entries = [JobEntry(Job(name), self._suite, self._app) for name in self._jobs()]
        if labels and self._suite["name"] not in labels:
            entries = [entry for entry in entries if entry.id in labels or entry.test.name in labels]
        return JobInventory(entries)

    def _jobs(self):
        """Names; one that is empty stands for all of the suite."""
        if self._suite["list"] is None:
            return [""]
        command, options = self._suite["list"], {"shell": True, "cwd": self._folder, "timeout": LIST_TIMEOUT}
        listed = subprocess.run(command, stdout=subprocess.PIPE, **options)
        if listed.returncode != 0:
            how = describe(listed.returncode)
            raise Failed("the command that lists the jobs of %s ended with %s" % (self._suite["name"], how))
        lines = (line.strip() for line in listed.stdout.decode("utf-8", "replace").splitlines())
        jobs = list(dict.fromkeys(line for line in lines if line))
        if len(jobs) > JOB_LIMIT:
            raise Failed("%s has %d jobs; %d are the most" % (self._suite["name"], len(jobs), JOB_LIMIT))
        return jobs

    # What runs.

    def _run_grant(self, grant, watch, _):
        with watch.run():
            for granted in grant:
                watch.begin(granted.test)
                cases = self._run_job(granted.test, granted.outcome)
                if cases:
                    self._session.emit("found", {"inventory": found(granted.entry, cases)})
                watch.settle()
                self._tell(cases, granted.attempt)

    def _run_job(self, job, outcome):
        """The cases it wrote of. Its own outcome is added to."""
        files = Files(self._suite["junit"], (self._folder, workspace.path(workspace.OWN)))
        environment = dict(os.environ, TEST=job.name)
        status = subprocess.call(self._suite["command"], shell=True, cwd=self._folder, env=environment)
        cases, problems = files.read()
        if status != 0:
            outcome.add_failure("failed", CommandError("the command ended with %s" % describe(status)))
        for problem in problems:
            outcome.add_failure("error", Unreadable(problem))
        if self._suite["junit"] and not files.are_there:
            globs = ", ".join(self._suite["junit"])
            outcome.add_failure("failed", CommandError("the command wrote no file that matches %s" % globs))
        if not outcome.failures:
            outcome.add("passed")
        return cases

    def _tell(self, cases, attempt):
        for case in cases:
            self._session.finished += 1
            fields = {"test": case.id, "try": attempt}
            self._session.emit("started", fields)
            self._session.emit("finished", dict(fields, **case.as_fields()))


class CommandError(Exception):
    """How a job failed, in words."""

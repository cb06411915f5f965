"""The process in which the project lives: made by a fork of the supervisor before any of it is imported."""

import faulthandler
import os
import signal
import sys

from . import PROTOCOL, combining, command_runner, django_runner, heap, manifest, native, pytest_runner, unittest_runner, workspace
from .channel import Commands, Events, ProtocolError
from .descriptors import lift
from .failure import name_files_relative_to
from .measuring import measured
from .session import Failed, Finished, Session

ADAPTERS = {
    "command": command_runner.drive,
    "coverage": combining.drive,
    "django": django_runner.drive,
    "pytest": pytest_runner.drive,
    "unittest": unittest_runner.drive,
}


def main(commands, events, capture, stacks):
    """Never returns: leaves as a program does, so that the project's `atexit` hooks run."""
    os.setsid()
    native.end_with_parent(signal.SIGKILL)
    session = Session(Commands(lift(commands)), Events(lift(events)), capture, stacks)
    faulthandler.enable(file=lift(os.dup(2)))
    _redirect_standard_streams(capture)
    code = _converse(session)
    heap.settle()  # All of it goes in a moment; to look for garbage before that takes a second in a large project.
    sys.exit(code)


def _converse(session):
    """The exit code; 1 without a `failed` where a test ended the run past all of unittest."""
    try:
        _drive_to_the_end(session)
    except Finished:
        pass
    except BaseException as error:
        if session.ended_by_test:
            return 130 if isinstance(error, KeyboardInterrupt) else 1
        if not (isinstance(error, SystemExit) and session.is_over):
            session.fail(error)
            return 1
    session.close()
    return 0


def _drive_to_the_end(session):
    try:
        _drive(session)
    finally:
        if session.is_secluded:
            os._exit(1)  # It could not do what it was forked for, and nobody but the worker runs `atexit` hooks.


def _drive(session):
    hello = session.commands.next()
    while hello["type"] == "match":
        session.emit("matched", {"id": manifest.first_that_holds(hello["root"], hello["candidates"])})
        hello = session.commands.next()
    if hello["type"] != "hello":
        raise ProtocolError("the first command is %r, not hello" % hello["type"])
    if hello["protocol"] != PROTOCOL:
        raise ProtocolError("the agent speaks protocol %r, this harness %d" % (hello["protocol"], PROTOCOL))
    if hello["adapter"] not in ADAPTERS:
        raise ProtocolError("there is no adapter %r" % hello["adapter"])
    surroundings = manifest.surroundings(os.environ)
    os.environ.update(hello.get("environment", {}))
    os.environ.update(workspace.environment(hello))
    name_files_relative_to(hello["root"])
    session.greet(hello, surroundings)
    with measured(hello):
        ADAPTERS[hello["adapter"]](session, hello)
    if not session.is_over:
        raise Failed(
            "the project's `test` command ended in phase %s without asking for all it had to do"
            % session.phase
        )


def _redirect_standard_streams(capture):
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(capture.descriptor, 1)
    os.dup2(capture.descriptor, 2)
    native.buffer_c_output_by_line()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)

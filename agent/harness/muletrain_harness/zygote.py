"""Forks a child for each app, from a process that has loaded the project and nothing of any app's tests."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import warnings

from . import heap, native
from .session import kib


def threads():
    """Names of threads that a forked child would lack; what they hold, such as locks, it would keep for ever."""
    return sorted(thread.name for thread in threading.enumerate() if thread is not threading.current_thread())


def fork(session):
    """Whether this process is to go on with the command: a child, or, where threads forbid to fork, the only one.

    False in the process that forked, once its child and all that it started are gone.
    """
    if threads():
        warnings.warn(
            "isolation fork: the project runs threads as it is loaded (%s), so its apps are not forked"
            % ", ".join(threads()),
            RuntimeWarning,
        )
        return True
    close_connections()
    folder = tempfile.mkdtemp(prefix="muletrain-app-")
    heap.settle()  # A child that looks for garbage in what it shares with this process would copy all of it.
    pid = os.fork()
    if pid == 0:
        os.setsid()
        native.end_with_parent(signal.SIGKILL)
        session.events.belong_to_this_process()
        _move_to(folder)
        return True
    session.commands.leave_to_child()
    session.events.note(child=pid)
    status, peak_kib = _wait(pid)
    shutil.rmtree(folder, ignore_errors=True)
    session.events.note(child_end={"status": status, "peak_kib": peak_kib})
    return False


def _wait(pid):
    """Its number stays taken until nothing of its group is left."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    _, status, usage = os.wait4(pid, 0)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return code, kib(usage.ru_maxrss)


def close_connections():
    """Two processes must not speak on one connection."""
    if "django.db" not in sys.modules:
        return
    from django.core.cache import caches
    from django.db import connections

    connections.close_all()
    for alias in connections:
        if hasattr(connections[alias], "close_pool"):
            connections[alias].close_pool()
    caches.close_all()


def _move_to(folder):
    """A temporary folder of its own, and a copy of what uploads begin with."""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    if "django.conf" not in sys.modules:
        return
    from django.conf import settings
    from django.test.utils import override_settings

    media = settings.MEDIA_ROOT
    if media:
        own = os.path.join(folder, "media")
        if os.path.isdir(media):
            shutil.copytree(media, own, symlinks=True)
        else:
            os.mkdir(own)
        override_settings(MEDIA_ROOT=type(media)(own)).enable()

"""Descriptors of our own, where tests that close, count or inherit descriptors do not meet them."""

import fcntl
import os
import tempfile

LOWEST = 200


def lift(descriptor):
    """Move it up, and keep it from subprocesses."""
    lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, LOWEST)
    os.close(descriptor)
    return lifted


def scratch_file():
    """A file without a name; whoever writes to it appends, also after it was emptied."""
    with tempfile.TemporaryFile(prefix="muletrain-") as file:
        descriptor = lift(os.dup(file.fileno()))
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
    return descriptor

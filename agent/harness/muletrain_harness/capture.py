"""The file that holds what a test and its subprocesses print, read bounded and emptied after each test."""

import os
import sys

from .descriptors import lift, scratch_file


class Capture:
    """Shared by the worker, whose descriptors 1 and 2 append to it, and by the supervisor."""

    def __init__(self):
        self.descriptor = scratch_file()
        self.limit = 65536

    def take(self):
        """The fields `output` and `output_omitted` of what was printed since the last call."""
        self._put_back()
        flush_standard_streams()
        fields = self.peek()
        if fields["output"]:
            os.ftruncate(self.descriptor, 0)
        return fields

    def peek(self):
        size = os.fstat(self.descriptor).st_size
        if size <= self.limit:
            text = self._read(size, 0)
            return {"output": text, "output_omitted": 0}
        head = self.limit // 2
        tail = self.limit - head
        omitted = size - head - tail
        text = "%s\n[%d bytes left out]\n%s" % (
            self._read(head, 0),
            omitted,
            self._read(tail, size - tail),
        )
        return {"output": text, "output_omitted": omitted}

    def _put_back(self):
        """A test may have closed the standard streams that those after it have as well."""
        for number in (0, 1, 2):
            try:
                os.fstat(number)
            except OSError:
                null = lift(os.open(os.devnull, os.O_RDONLY))
                os.dup2(self.descriptor if number else null, number)
                os.close(null)

    def close(self):
        os.close(self.descriptor)

    def _read(self, length, offset):
        return os.pread(self.descriptor, length, offset).decode("utf-8", "replace")


def join(pieces):
    """What several calls of `take` gave, as one."""
    return {
        "output": "".join(piece["output"] for piece in pieces),
        "output_omitted": sum(piece["output_omitted"] for piece in pieces),
    }


def flush_standard_streams():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass  # A test may have closed or replaced it; what it holds is lost with it.

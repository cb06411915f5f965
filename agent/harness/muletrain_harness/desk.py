"""Commands of the agent on their way to the worker, one whole line at a time."""

STOP = b'{"type":"stop"}\n'


class Desk:
    """Holds back what follows a command for which something has to be done first."""

    def __init__(self, is_closed):
        self._is_closed = is_closed
        self._waiting = bytearray()
        self._searched = 0

    def add(self, data):
        self._waiting += data

    def commands(self):
        """Whole lines, for as long as the desk is open; STOP at any time."""
        while True:
            end = self._waiting.find(b"\n", self._searched) + 1
            if end == 0:
                self._searched = len(self._waiting)
                return
            if self._is_closed() and self._waiting[:end] != STOP:
                return
            line = bytes(self._waiting[:end])
            del self._waiting[:end]
            self._searched = 0
            yield line

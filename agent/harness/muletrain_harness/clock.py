"""The time that passes, whatever tests do to the clock that they see."""

import time


def monotonic(read=time.monotonic):
    """Who stops or moves the clock replaces functions of `time` wherever a module names them, but not in here."""
    return read()

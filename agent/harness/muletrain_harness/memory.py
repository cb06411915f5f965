"""The most memory this process had resident since it was asked last."""

import os

_open, _read, _write, _close = os.open, os.read, os.write, os.close


def restart():
    """Count from here on; whether the kernel lets us."""
    return _attempt(lambda: _use("/proc/self/clear_refs", os.O_WRONLY, lambda file: _write(file, b"5"))) is not None


def peak_kib():
    """None where the kernel does not tell."""
    status = _attempt(lambda: _use("/proc/self/status", os.O_RDONLY, lambda file: _read(file, 65536)))
    for line in (status or b"").splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1])
    return None


def _use(path, flags, act):
    file = _open(path, flags)
    try:
        return act(file)
    finally:
        _close(file)


def _attempt(act):
    try:
        return act()
    except OSError:
        return None

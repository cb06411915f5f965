"""What Python's library has no call for. All of it is best effort: a platform without it loses little."""

PR_SET_PDEATHSIG = 1
LINE_BUFFERED = 1


def end_with_parent(signal_number):
    """Have the kernel end this process should its parent be killed outright (Linux)."""
    _attempt(lambda ctypes, library: library.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0))


def buffer_c_output_by_line():
    """What C code prints would otherwise arrive tests later, since descriptor 1 is a file."""
    _attempt(
        lambda ctypes, library: library.setvbuf(
            ctypes.c_void_p.in_dll(library, "stdout"), None, LINE_BUFFERED, ctypes.c_size_t(0)
        )
    )


def _attempt(call):
    try:
        import ctypes

        call(ctypes, ctypes.CDLL(None))
    except (ImportError, OSError, AttributeError, ValueError):
        pass

"""Exceptions as the protocol's failures: never raises, whatever the exception does when looked at."""

import os
import re
import traceback

TEXT_LIMIT = 262144

_root = None


def name_files_relative_to(root):
    """From now on files below `root` go by their path in it: a pod's own place says nothing later."""
    global _root
    _root = os.path.join(os.path.realpath(root), "")


def failure(kind, exception, subtest=None):
    """`kind` is `failure` (an assertion) or `error`."""
    return {
        "kind": kind,
        "exception": class_name(type(exception)),
        "message": clip(_text(exception)),
        "traceback": clip(_traceback(exception)),
        "subtest": subtest,
    }


def class_name(cls):
    """Dotted, without the module where Python's own tracebacks leave it out."""
    name = getattr(cls, "__qualname__", repr(cls))
    module = getattr(cls, "__module__", None)
    return name if module in (None, "builtins", "__main__") else "%s.%s" % (module, name)


def clip(text):
    """Long texts keep their two ends."""
    if len(text) <= TEXT_LIMIT:
        return text
    half = TEXT_LIMIT // 2
    return "%s\n[%d characters left out]\n%s" % (text[:half], len(text) - 2 * half, text[-half:])


def _text(exception):
    try:
        return str(exception)
    except Exception:
        return "<unprintable %s>" % type(exception).__name__


def _traceback(exception):
    try:
        summary = traceback.TracebackException(type(exception), exception, exception.__traceback__)
        _hide_frames(summary, exception)
        return "".join(summary.format())
    except Exception as error:
        return "%s (its traceback cannot be printed: %s)\n" % (
            class_name(type(exception)),
            class_name(type(error)),
        )


def _hide_frames(summary, exception):
    """Also in the exceptions it is chained to and those of its group."""
    frames = [frame for frame, _ in traceback.walk_tb(exception.__traceback__)]
    if len(frames) == len(summary.stack):
        summary.stack[:] = [line for line, frame in zip(summary.stack, frames) if not _is_hidden(frame)]
    # A syntax error names a file as well.
    for place in (*summary.stack, summary):
        if isinstance(getattr(place, "filename", None), str):
            place.filename = relative(place.filename)
    members = zip(getattr(summary, "exceptions", None) or (), getattr(exception, "exceptions", ()))
    chained = (
        (summary.__cause__, exception.__cause__),
        (summary.__context__, exception.__context__),
    )
    for inner, inner_exception in (*chained, *members):
        if inner is not None and inner_exception is not None:
            _hide_frames(inner, inner_exception)


def relative(filename):
    """As the report names it."""
    return filename[len(_root) :] if _root and filename.startswith(_root) else filename


def relative_in(text):
    """A text in which files are named, as the report names them."""
    return re.sub(r"(?<![\w./-])" + re.escape(_root), "", text) if _root else text


def _is_hidden(frame):
    module = frame.f_globals.get("__name__") or ""
    return "__unittest" in frame.f_globals or module.partition(".")[0] == __package__ or module == "runpy"

"""Puts something in the place of an attribute, for a while."""

import contextlib


@contextlib.contextmanager
def replaced(target, name, value):
    """An attribute that `target` has only through its class is taken off again."""
    missing = object()
    before = vars(target).get(name, missing)
    setattr(target, name, value)
    try:
        yield
    finally:
        if before is missing:
            delattr(target, name)
        else:
            setattr(target, name, before)

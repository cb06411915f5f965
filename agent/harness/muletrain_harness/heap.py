"""What the garbage collector need not look at.

A full collection looks at every object there is. Most of them are the project's modules, which are there until
the process ends; in a large project that is a tenth of the time of its tests.
"""

import gc


def settle():
    """What there is now stays. Python without such a call loses nothing but time."""
    getattr(gc, "freeze", lambda: None)()

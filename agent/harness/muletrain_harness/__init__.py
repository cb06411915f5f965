"""Runs a Django project's tests for a muletrain agent; PROTOCOL.md is its contract.

Every module is imported before the project is, because the archive it comes from is gone by then.
"""

PROTOCOL = 1

"""Tests of `hangs`."""

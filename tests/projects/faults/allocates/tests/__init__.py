"""Tests of `allocates`."""

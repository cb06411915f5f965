"""Tests of `killed`."""

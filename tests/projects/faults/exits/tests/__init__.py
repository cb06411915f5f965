"""Tests of `exits`."""

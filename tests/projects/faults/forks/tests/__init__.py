"""Tests of `forks`."""

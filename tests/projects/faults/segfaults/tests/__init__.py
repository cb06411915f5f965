"""Tests of `segfaults`."""

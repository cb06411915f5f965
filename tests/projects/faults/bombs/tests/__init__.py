"""Tests of `bombs`."""

"""Tests of `media`."""

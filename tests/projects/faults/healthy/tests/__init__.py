"""Tests of `healthy`."""

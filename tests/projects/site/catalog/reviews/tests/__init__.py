"""Tests of `reviews`."""

"""Tests that misbehave."""

"""Tests that never end."""

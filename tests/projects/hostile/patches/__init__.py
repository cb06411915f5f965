"""Tests that replace what others count on."""

"""Tests that belong to no app."""

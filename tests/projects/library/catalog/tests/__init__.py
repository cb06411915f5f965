"""Tests of books and of what a migration wrote."""

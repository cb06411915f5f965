"""Migrations of `blog`."""

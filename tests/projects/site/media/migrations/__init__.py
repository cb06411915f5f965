"""Migrations of `media`."""

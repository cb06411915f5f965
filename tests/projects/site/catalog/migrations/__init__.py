"""Migrations of `catalog`."""

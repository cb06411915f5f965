"""Migrations of `reviews`."""

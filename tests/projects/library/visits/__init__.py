"""Visits, counted in Redis."""

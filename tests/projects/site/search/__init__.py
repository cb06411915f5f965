"""A word index in memory; no models."""

"""A test that takes memory without end."""

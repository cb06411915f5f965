"""A test that starts processes without end."""

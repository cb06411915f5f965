"""A test whose child starts processes without end, as do they."""

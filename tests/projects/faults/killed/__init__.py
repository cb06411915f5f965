"""A test that kills its process."""

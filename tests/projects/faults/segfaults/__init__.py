"""A test that reads address zero."""

"""The magazine."""

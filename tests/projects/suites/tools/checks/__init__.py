"""Checks of the project itself."""

"""The shelves that every library has."""

SHELVES = ["Fiction", "Science", "Travel"]

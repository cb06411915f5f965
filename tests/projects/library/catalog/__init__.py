"""Books and the shelves they stand on."""

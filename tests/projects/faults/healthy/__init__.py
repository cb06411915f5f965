"""The neighbour that must not notice."""

"""Products of the shop."""

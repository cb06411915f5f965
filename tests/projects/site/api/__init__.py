"""What other programs may ask."""

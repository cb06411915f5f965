"""How the catalogue came to be."""

"""How the archive came to be."""

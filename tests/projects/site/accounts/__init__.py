"""Members of the shop and the countries they are from."""

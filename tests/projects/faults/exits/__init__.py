"""A test that ends its process with success."""

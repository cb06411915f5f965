"""Migrations of `orders`."""

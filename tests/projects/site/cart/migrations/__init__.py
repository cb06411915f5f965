"""Migrations of `cart`."""

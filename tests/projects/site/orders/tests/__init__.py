"""Tests of `orders`."""

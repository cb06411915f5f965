"""Tests of `cart`."""

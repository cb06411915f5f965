"""Tests that take their process down."""

"""Tests of several databases."""

"""Figures from several databases."""

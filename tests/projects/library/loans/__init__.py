"""Loans, in a database of their own."""

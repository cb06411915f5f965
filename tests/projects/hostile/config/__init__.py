"""Configuration of the sample project."""

"""Nothing but tests: of modules that fail before any test of theirs runs."""

"""Settings of the sample library."""

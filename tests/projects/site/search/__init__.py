"""Search over what the other apps hold."""

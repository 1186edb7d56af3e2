"""The HTTP service in three designs."""

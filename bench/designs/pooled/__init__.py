"""The pooled design: ragpool."""

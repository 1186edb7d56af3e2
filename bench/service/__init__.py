"""Scenarios of the HTTP service: every route, and what callers, keys and upstreams do to it."""

"""Faults injected into ragpool, each of which the gate must name: the gate's own test."""

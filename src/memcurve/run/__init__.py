"""Wires the stages: what is measured next, and the places where calls run."""

"""The values that cross stages, their units, and what can go wrong."""

"""Compare runs with accepted curves, with each other, and with what designs must save."""

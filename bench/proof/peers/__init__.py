"""Other leak detectors on the same labelled suite."""

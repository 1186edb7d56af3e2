"""Labelled leaks by which the explanations are judged: right type, root, path, site and count."""

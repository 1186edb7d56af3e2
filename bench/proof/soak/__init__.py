"""Checks under load, side by side and in odd interpreters: none false, none missed."""

"""The command line: options, messages, exit codes."""

from memcurve.cli.app import main

__all__ = ["main"]

"""The command line: options, messages, exit codes."""

import signal


def main() -> None:
    """Run the command `memcurve`.

    While it is still being imported, Ctrl-C ends the process as it ends any other, without words.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from memcurve.cli.app import main as command

    signal.signal(signal.SIGINT, before)
    command()


__all__ = ["main"]

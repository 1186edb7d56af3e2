"""Run a command of memcurve in this process."""

from click.testing import CliRunner, Result

from memcurve.cli.app import main


def run_command(*arguments: str) -> Result:
    """Return how a command ended and what it printed; raises what it raised."""
    result = CliRunner().invoke(main, list(arguments), prog_name="memcurve")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result

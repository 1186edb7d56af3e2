"""What can go wrong, each as a type of its own.

Every message names the thing, the value and the next step. Only the command line and the pytest
plugin turn an error into an exit code or a failed test.
"""


class MemcurveError(Exception):
    """Base of every error that memcurve raises."""


class TargetError(MemcurveError):
    """A target cannot be found, loaded or called as it is named."""


class MeasureError(MemcurveError):
    """A process that measures could not be started or does not answer."""


class RecordingError(MemcurveError):
    """A stored recording or baseline is missing, damaged, or of a version that is not known."""


class OutputError(MemcurveError):
    """A folder for what is measured cannot be written to."""


class ScenarioError(MemcurveError):
    """A scenario is declared in a way that cannot be run."""


class KnownLeaksError(MemcurveError):
    """The file of acknowledged leaks cannot be read."""


class QuantityError(MemcurveError, ValueError):
    """A text is not a quantity of bytes."""

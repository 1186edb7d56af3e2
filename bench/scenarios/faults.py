"""A backend that fails: status 500, connections reset, timeouts and cancelled calls, in turn."""

from bench.scenarios._declaring import three_designs

faults = three_designs(
    "faults",
    "One search a call into a fault; naive keeps every error with its traceback.",
    setup="impatient_platform",
)

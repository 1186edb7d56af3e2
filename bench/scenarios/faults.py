"""A backend that fails: status 500, connections reset, timeouts and cancelled calls, in turn."""

from bench.scenarios._declaring import DEAR, three_designs

faults = three_designs(
    "faults",
    "One search a call into a fault; naive keeps every error with its traceback.",
    setup="impatient_platform",
    verdict_calls=2 * DEAR,
    brief=("naive", "published"),
    explain=False,  # executions is, which keep the same clients
)

"""A backend that fails: status 500, connections reset, timeouts and cancelled calls, in turn."""

from bench.declaring import FOR_10_MS, three_designs

faults = three_designs(
    "faults",
    "One search a call into a fault; naive keeps every error with its traceback.",
    setup="impatient_platform",
    verdict_calls=2 * FOR_10_MS,
    expensive=("naive", "published"),
    explain=False,  # executions is, which keep the same clients
)

"""Calls so short that what is measured is measuring; one call reaches a peak that must be seen."""

KEPT: "list[object]" = []
PEAK_CALL, PEAK_BYTES = 77, 3_000_000


def clean(number: int) -> "list[int]":
    return [number]


def peaks(number: int) -> None:
    """Hold three megabytes from one call to the next, once."""
    KEPT.clear()
    if number == PEAK_CALL:
        KEPT.append(bytes(PEAK_BYTES))

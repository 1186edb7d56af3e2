"""What the calls of a recording used of one counter, as one figure."""

from memcurve.model.recording import LEFT_BY_CALLS, Recording


def used(recording: Recording, counter: str) -> float | None:
    """Return what the calls shown used of a counter, None if it was not read.

    CPU time is of the natural pass, everything else of the settled one. Deferred bytes are a
    sum over the calls.
    """
    record = recording.of("natural") if counter == "cpu_ns" else recording.first_settled
    curve = record.samples.curve(counter).head(recording.calls) if record is not None else None
    if curve is None or not len(curve):
        return None
    if counter in LEFT_BY_CALLS and record is not None:
        left = record.samples.left_a_call(counter, 0, recording.calls)
        return None if left is None else left * recording.calls
    return float(curve.values[-1] - curve.values[0])

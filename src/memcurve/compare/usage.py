"""What the calls of a recording used of one counter, as one figure."""

from statistics import fmean

from memcurve.model.recording import Recording


def spent(recording: Recording, counter: str) -> float | None:
    """Return what the calls shown used of a counter, None if it was not read.

    CPU time is of the natural pass, everything else of the settled one. Deferred bytes are a sum:
    each row has those of one call, and stands for the calls without a row.
    """
    record = recording.of("natural") if counter == "cpu_ns" else recording.first_settled
    curve = record.samples.curve(counter).head(recording.calls) if record is not None else None
    if curve is None or not len(curve):
        return None
    if counter == "deferred_bytes":
        rows = curve.tail(1).values
        return fmean(rows) * recording.calls if rows else None
    return float(curve.values[-1] - curve.values[0])

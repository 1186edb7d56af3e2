"""What limits a verdict by how it was measured."""

from memcurve.judge.coverage import unread
from memcurve.model.caveat import Caveat
from memcurve.model.recording import PassRecord, Recording

# sources of malloc's live bytes in which an allocator's own caches count as in use
CACHE_IN_USE = ("jemalloc stats.allocated", "psutil.heap_info")
MODULO = "mallinfo"
"""The source of malloc's live bytes whose figures wrap at 4 GiB; glibc before 2.33 has no other."""


def measurement_caveats(recording: Recording, settled: PassRecord) -> tuple[Caveat, ...]:
    """Return the caveats that come from how it was measured."""
    return (
        *_source_caveats(recording),
        *unread(recording, settled),
        *_mode_caveats(settled),
        *_flight_caveats(settled),
    )


def _source_caveats(recording: Recording) -> list[Caveat]:
    if recording.environment is None:
        return []
    sources = recording.environment.sources
    python, malloc = sources["python_bytes"], sources["malloc_bytes"]
    found = []
    if not malloc.exact:
        found.append(Caveat(kind="malloc_unseen", text=f"malloc: {malloc.note}"))
    if not python.exact:
        found.append(Caveat(kind="python_unseen", text=f"Python heap: {python.note}"))
    if malloc.name == MODULO:
        found.append(Caveat(kind="malloc_wraps", text=f"malloc: {malloc.note}"))
    if malloc.exact and malloc.name in CACHE_IN_USE:
        text = f"malloc: {malloc.note or f'{malloc.name} may count caches as in use'}"
        found.append(Caveat(kind="thread_caches", text=text))
    return found


def _mode_caveats(settled: PassRecord) -> list[Caveat]:
    found = []
    if settled.mode == "unfrozen":
        text = "objects older than the run were freed by it, so it was repeated without freezing"
        found.append(Caveat(kind="repeated_unfrozen", text=text))
    if settled.mode == "patient":
        text = "calls leave work running, so every row waited for it"
        found.append(Caveat(kind="repeated_patient", text=text))
    if settled.isolation == "caller":
        text = "measured in a copy of the calling process: thread caches widen the floor"
        found.append(Caveat(kind="forked_caller", text=text))
    if settled.isolation == "none":
        text = "measured in the calling process: whatever else runs there is in the figures"
        found.append(Caveat(kind="in_process", text=text))
    return found


def _flight_caveats(settled: PassRecord) -> list[Caveat]:
    if not settled.verifications:
        return []
    left = settled.verifications[-1].in_flight
    if not left:
        return []
    parts = [f"{n} {what}" for what, n in _flight(left) if n]
    text = f"still in flight after the grace: {', '.join(parts)}"
    return [Caveat(kind="in_flight", text=text)]


def _flight(left: object) -> list[tuple[str, int]]:
    names = ("tasks", "timers", "threads")
    return [(name, int(getattr(left, name))) for name in names]

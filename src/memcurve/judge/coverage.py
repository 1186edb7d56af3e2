"""Say what a verdict on memory covers, and what of it could not be read."""

from memcurve.model.caveat import Caveat, CaveatKind
from memcurve.model.recording import PassRecord, Recording, Samples

UNREAD: dict[CaveatKind, str] = {
    "mapped_unread": "mapped memory",
    "children_unread": "child processes",
}


def covered(samples: Samples) -> tuple[str, ...]:
    """Return the parts of live memory that were counted, in words."""
    found = ["both heaps"]
    if "mapped_bytes" in samples.counters:
        found.append("mapped memory")
    processes = samples.curve("processes")
    children = processes.values[-1] if len(processes) else 0
    if children:
        found.append("1 child process" if children == 1 else f"{children} child processes")
    return tuple(found)


def unread(recording: Recording, settled: PassRecord) -> tuple[Caveat, ...]:
    """Return a caveat for each part of live memory that may be there and was not counted."""
    if recording.environment is None:
        return ()
    sources, found = recording.environment.sources, []
    mapped, children = sources.get("mapped_bytes"), sources.get("children_bytes")
    heaps_exact = sources["python_bytes"].exact and sources["malloc_bytes"].exact
    if mapped is not None and not mapped.exact and heaps_exact:
        found.append(Caveat(kind="mapped_unread", text=f"mapped memory: {mapped.note}"))
    if children is not None and not children.exact:
        found.append(Caveat(kind="children_unread", text=f"child processes: {children.note}"))
    elif None in settled.samples.counters.get("processes", ()):
        text = "there are child processes, and /proc does not show them: they are not counted"
        found.append(Caveat(kind="children_unread", text=text))
    return tuple(found)

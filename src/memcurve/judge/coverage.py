"""Say what a verdict on memory covers, and what of it could not be read."""

from collections.abc import Sequence

import msgspec

from memcurve.model.caveat import Caveat, CaveatKind
from memcurve.model.recording import RESOURCES, PassRecord, Recording, Samples
from memcurve.model.verdict import Evidence, Rise, Verdict

UNREAD: dict[CaveatKind, str] = {
    "mapped_unread": "mapped memory",
    "children_unread": "child processes",
}
PARTS = {
    "heap_bytes": "both heaps",
    "mapped_bytes": "mapped memory",
    "children_bytes": "child processes",
}
IN_WORDS = {"fds": "descriptors"}
OF_CHILDREN = ("processes", "zombies")
A_TENTH = 0.1
"""Of the growth: what a part adds at least, to be named in the sentence."""


def with_coverage(verdict: Verdict, samples: Samples, caveats: Sequence[Caveat]) -> Verdict:
    """Return a verdict on memory with what it covers; its reader takes it for all there is."""
    evidence = verdict.evidence
    grows = (
        (PARTS[evidence.counter],)  # the figures are of this part alone
        if evidence.counter in PARTS
        else _parts_that_grow(samples, evidence)
    )
    evidence = msgspec.structs.replace(
        evidence,
        counter="live_bytes",  # whichever of its parts gave the figures
        covers=covered(samples),
        where=grows if isinstance(verdict, Rise) else (),
        unread=tuple(UNREAD[one.kind] for one in caveats if one.kind in UNREAD),
    )
    return msgspec.structs.replace(verdict, evidence=evidence)


def _parts_that_grow(samples: Samples, evidence: Evidence) -> tuple[str, ...]:
    rates = {
        words: samples.curve(counter).rate(evidence.from_call, evidence.to_call)
        for counter, words in PARTS.items()
    }
    return tuple(name for name, value in rates.items() if value > A_TENTH * sum(rates.values()))


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


def _unread_resources(samples: Samples) -> list[Caveat]:
    """Return a caveat where a resource was not read in each row: what is missing cannot rise.

    Children have a caveat of their own.
    """
    rows = len(samples.calls)
    missing = {
        IN_WORDS.get(name, name): samples.counters.get(name, (None,) * rows).count(None)
        for name in RESOURCES
        if name not in OF_CHILDREN
    }
    return [
        Caveat(
            kind="resources_unread",
            text=f"{name} could not be read in {'any' if n == rows else n} of {rows} rows",
        )
        for name, n in missing.items()
        if n
    ]


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
    return (*found, *_unread_resources(settled.samples))

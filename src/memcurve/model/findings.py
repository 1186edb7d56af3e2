"""What explaining finds: culprits, what they rest on, and the ledger, as values."""

import msgspec

from memcurve.model.answers import PathStep
from memcurve.model.surveys import LostReference

OUTSIDE = "held outside Python"
"""The root of what a complete search found no holder of."""
NOT_KNOWN = "not known"
"""The root of what nobody could look for; the path says why, and what to do next."""
NOT_EXPLAINED = "not explained"
"""The type of the row that holds what no culprit accounts for."""


class TypeCount(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one type that a call leaves behind, with their own bytes (not what they hold)."""

    type: str
    per_call: float
    bytes_per_call: float


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """Objects that were born in calls `first` to `last`, and are `alive` at the end of the pass."""

    first: int
    last: int
    alive: int


class Culprit(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of growth: what survives, who holds it, where it was made.

    `per_call` counts objects and `bytes_per_call` all that goes when they go, a call, of which
    `native_per_call` is malloc's; `share` is its part of the retained growth, from 0 to 1. The
    bytes of all culprits add up to the growth of the verdict, and so do malloc's. `holders` counts
    the holders of one shape that it is spread over; `path` is that of the heaviest. `root`
    is the kind of place at which `steps` begin; they lead from there to the object, and `path` is
    the same as texts, the form that JSON has had from the start. `site` is ``file:line`` where it
    is made, `user_site` the innermost line of the user's own code on the way there, `stack` the
    frames from `site` outwards. `sample` is the beginning of one object, of text and bytes only.
    `lost_references` are the references each call takes and nobody has: all memory of the process
    was searched. `step_bytes` are the bytes a call that go when a step of `steps` is let go, 0
    where that was not weighed; `cohorts` tell how many of each window of calls are alive. What is
    not known is empty, or 0.
    """

    type: str
    per_call: float
    bytes_per_call: float
    native_per_call: float = 0.0
    share: float = 0.0
    holders: int = 1
    root: str = ""
    path: tuple[str, ...] = ()
    steps: tuple[PathStep, ...] = ()
    step_bytes: tuple[float, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    site: str = ""
    user_site: str = ""
    stack: tuple[str, ...] = ()
    sample: str = ""
    lost_references: float = 0.0
    holds: tuple[TypeCount, ...] = ()
    cycle: str = ""
    bound: str = ""
    advice: str = ""
    fingerprint: str = ""
    known: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A reference between two members of a cycle, by their positions, and its attribute."""

    source: int
    target: int
    label: str


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """One strongly connected component of what a call leaves to the cyclic collector.

    `words` goes the shortest way round, naming each reference; `members` are those worth drawing,
    of `objects` in all. It keeps objects waiting that are in no cycle themselves, some of them by
    name in `keeps`: with them, letting it go freed `held_per_call` bytes, malloc's included.
    `site` is the line that makes the member it begins with, or else the next one that was traced;
    `user_site` the user's own line on the way there. Both are "" where that was not seen.
    """

    words: str
    per_call: float
    objects: int
    bytes: int
    members: tuple[str, ...]
    edges: tuple[Edge, ...]
    types: tuple[TypeCount, ...] = ()
    finalizers: tuple[str, ...] = ()
    held_objects_per_call: float = 0.0
    held_per_call: float = 0.0
    keeps: tuple[str, ...] = ()
    site: str = ""
    user_site: str = ""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A call site whose live bytes grow: `stack` from there outwards, as ``file:line``."""

    site: str
    function: str
    bytes_per_call: float
    blocks_per_call: float
    native: bool
    stack: tuple[str, ...] = ()


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The most memory that was live at once while tracing, and the sites that held it."""

    bytes: int
    sites: tuple[Site, ...] = ()


class PassCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one explaining pass cost: its calls, and all CPU seconds of its process."""

    kind: str
    calls: int
    cpu_s: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the explaining passes found about one design.

    `calls` is the number of calls that survivors were counted over; `tracer` names what saw the
    allocations. `notes` say what could not be found out, `unsearched` why nobody looked for
    holders, if nobody did. `references` are graphs of who refers to a culprit, in the language of
    graphviz, by its fingerprint; they are drawn on request. `lost_references` are objects that live
    long, and whose count rises by what nothing known holds; None: nobody counted.
    """

    culprits: tuple[Culprit, ...] = ()
    survivors: tuple[TypeCount, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    deferred_objects: float = 0.0
    uncollectable: int = 0
    sites: tuple[Site, ...] = ()
    peak: Peak | None = None
    calls: int = 0
    tracer: str = ""
    flame_graph: str = ""
    notes: tuple[str, ...] = ()
    unsearched: str = ""
    passes: tuple[PassCost, ...] = ()
    references: dict[str, str] = {}
    lost_references: tuple[LostReference, ...] | None = None
    elapsed_s: float = 0.0


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Where the growth of resident memory went between two calls of the natural pass, in bytes.

    ``rss`` is the sum of the other rows; ``residual`` is what none of them explains.
    """

    from_call: int
    to_call: int
    rss: int
    retained_python: int
    retained_malloc: int
    deferred: int
    allocator_slack: int
    other_mappings: int
    residual: int

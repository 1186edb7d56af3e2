"""Say where the growth of resident memory went between the ends of the natural pass.

    ΔRSS = retained Python + retained malloc + deferred + allocator slack + other mappings
           + residual

Retained and deferred come from the allocators, to the byte; deferred is what a collection after
the last call freed. Allocator slack is resident memory that the allocators hold free, or have live
and never touched (then it is negative): resident heap less live, at most what they have from the
system and do not use. Slack is fragmentation or reserve, not a leak. Other mappings are stacks of
threads, files, and resident anonymous memory beyond what the allocators have. The rows come from
the allocators' books and from ``smaps``, ΔRSS from ``statm``: the residual is where they disagree.
"""

from memcurve.model.findings import Ledger
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.surveys import ResidentState


def ledger_of(recording: Recording) -> Ledger | None:
    """Return the ledger of a recording; None without a natural pass or without ``smaps``."""
    natural = recording.of("natural")
    return None if natural is None else ledger_of_pass(natural)


def ledger_of_pass(natural: PassRecord) -> Ledger | None:
    """Return the ledger of one natural pass."""
    begin, end = natural.surveys.begin, natural.surveys.end
    if begin is None or begin.heap is None or end is None or end.heap is None:
        return None
    deferred = end.deferred_python + end.deferred_malloc
    rows = {
        "retained_python": end.python_bytes - begin.python_bytes - end.deferred_python,
        "retained_malloc": end.malloc_bytes - begin.malloc_bytes - end.deferred_malloc,
        "deferred": deferred,
        "allocator_slack": _slack(end) - _slack(begin),
        "other_mappings": _others(end) - _others(begin),
    }
    rss = end.rss_bytes - begin.rss_bytes
    residual = rss - sum(rows.values())
    return Ledger(from_call=0, to_call=natural.calls, rss=rss, residual=residual, **rows)


def _slack(state: ResidentState) -> int:
    """Return what is resident of the allocators' free memory; negative: live, never touched."""
    live = state.python_bytes + state.malloc_bytes
    return min((state.heap or 0) - live, _mapped(state) - live)


def _others(state: ResidentState) -> int:
    """Return stacks, files, and what is resident of anonymous memory that is no allocator's."""
    foreign = max(state.heap_size - _mapped(state), 0)
    unasked = max((state.heap or 0) - _mapped(state), 0)
    return state.stack + state.other + min(unasked, foreign)


def _mapped(state: ResidentState) -> int:
    return state.arena_bytes + state.malloc_system_bytes

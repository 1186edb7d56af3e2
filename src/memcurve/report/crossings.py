"""The words for a crossed threshold: what was crossed, who is first to blame, what can be done."""

import shlex
from typing import assert_never

from memcurve.model.outcome import (
    Cause,
    Crossing,
    GarbageStood,
    LeftBand,
    LostLead,
    MemoryGrew,
    PassedLimit,
    ResourceGrew,
)
from memcurve.model.units import counter_of, format_count, format_value
from memcurve.report.text import verdict_line

LIMIT_NAMES = {"live_bytes": "retained", "deferred_bytes": "deferred"}
"""How a limit of pytest is called, where it is not called as its counter."""


def crossing_message(crossing: Crossing) -> str:
    """Return all there is to say: what was crossed, who is to blame, and what can be done."""
    remedy = crossing_remedy(crossing)
    return "; ".join([crossing_line(crossing, cause=True), *([remedy] if remedy else [])])


def crossing_line(crossing: Crossing, *, cause: bool = False) -> str:
    """Return whose threshold was crossed and by how much; with `cause`, who is to blame."""
    line = f"{_whose(crossing)}: {_what(crossing)}"
    return f"{line}; {_blame(crossing.cause)}" if cause and crossing.cause is not None else line


def crossing_remedy(crossing: Crossing) -> str:
    """Return the command for a change that is meant; "" where none makes it right."""
    if isinstance(crossing, GarbageStood):
        return "close what the cycle holds, or break it"
    if isinstance(crossing, LeftBand):
        if crossing.test:
            node = shlex.quote(crossing.test)
            return f"if this is meant: pytest --memcurve-accept --memcurve-reason '…' {node}"
        name = f"{crossing.scenario}/{crossing.design}"
        return f"if this is meant: memcurve accept -k {name} --reason '…'"
    return ""


def _whose(crossing: Crossing) -> str:
    return crossing.test or f"{crossing.scenario}/{crossing.design}"


def _what(crossing: Crossing) -> str:
    title, value = counter_of(crossing.counter).title, amount(crossing, crossing.value)
    match crossing:
        case LeftBand():
            return (
                f"{title} left its accepted band at call {crossing.call}: {value} at call "
                f"{crossing.last_call}, {amount(crossing, crossing.over)} over"
            )
        case MemoryGrew() | ResourceGrew():
            return (
                f"{title} grow by {value} a call; no bound up to call "
                f"{crossing.no_bound_up_to}; nothing may grow in this design"
            )
        case GarbageStood():
            return (
                f"{value} of garbage stood at once after {format_count(crossing.call)} calls; "
                f"{amount(crossing, crossing.limit)} are allowed in this design"
            )
        case LostLead():
            return (
                f"{title}: {value} in {crossing.call} calls is "
                f"{crossing.value / crossing.theirs:.0%} of what {crossing.over_design} uses "
                f"({amount(crossing, crossing.theirs)}); at most {crossing.most:.0%} is agreed"
            )
        case PassedLimit():
            return limit_line(crossing)
        case _:
            assert_never(crossing)


def limit_line(crossing: PassedLimit) -> str:
    """Return which limit of a test was passed, by how much, and what was allowed."""
    name = LIMIT_NAMES.get(crossing.counter, crossing.counter)
    most = amount(crossing, crossing.limit)
    shown = f'"{most}"' if counter_of(crossing.counter).unit == "bytes" else most
    allowed = f"({name}={shown} a call was allowed)"
    if crossing.verdict is not None:
        return f"{verdict_line(crossing.verdict)} {allowed}"
    value = amount(crossing, crossing.value)
    return f"{name}: {value} a call wait for the cyclic collector {allowed}"


def amount(crossing: Crossing, value: float) -> str:
    """Return a value in the unit of what was crossed."""
    return format_value(counter_of(crossing.counter), value)


def _blame(cause: Cause) -> str:
    return f"first {cause.kind}: {cause.name}" + (f" at {cause.site}" if cause.site else "")

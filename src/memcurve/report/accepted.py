"""The words for what accepting changed: one line for each design, "~" for none."""

from collections.abc import Iterable, Iterator

from memcurve.compare.accept import AcceptedChange, EndMoved
from memcurve.model.units import counter_of, format_value


def change_lines(scenario: str, changes: Iterable[AcceptedChange]) -> Iterator[str]:
    """Yield one line for each design of a scenario."""
    for change in changes:
        yield f"{scenario}/{change.design}: {_what(change)}"


def _what(change: AcceptedChange) -> str:
    if change.is_new:
        return "new"
    verdict = [f"verdict {' → '.join(change.verdicts)}"] if change.verdicts is not None else []
    return "; ".join([*verdict, *map(_end, change.ends)]) or "~"


def _end(end: EndMoved) -> str:
    counter = counter_of(end.counter)
    before, after = (format_value(counter, value) for value in (end.before, end.after))
    return f"{counter.title} {before} → {after}"

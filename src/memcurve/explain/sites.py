"""Subtract two traced stretches of calls, stack by stack: what grows, not what is held."""

from collections.abc import Iterable
from typing import Any

from memcurve.explain.places import is_stdlib
from memcurve.model.findings import Site

MOST_FRAMES = 12
LEAST_SHARE = 0.01

_Stack = tuple[tuple[str, str, int], ...]


def growing_sites(short: dict[str, Any], long: dict[str, Any]) -> tuple[Site, ...]:
    """Return the call sites whose live bytes grow with the calls, the steepest first.

    A stack that holds as much after the short stretch as after the long one falls out.
    """
    calls = max(long["calls"] - short["calls"], 1)
    before, after = _by_stack(short["stacks"]), _by_stack(long["stacks"])
    merged: dict[tuple[str, bool], list[Any]] = {}
    for key, (size, blocks) in after.items():
        had = before.get(key, (0, 0))
        stack, python = key
        place = _place(stack)
        entry = merged.setdefault((place, python), [0, 0, stack, 0])
        entry[0] += size - had[0]
        entry[1] += blocks - had[1]
        if size - had[0] > entry[3]:
            entry[2], entry[3] = stack, size - had[0]
    for key, (size, blocks) in before.items():
        if key not in after and (_place(key[0]), key[1]) in merged:
            entry = merged[_place(key[0]), key[1]]
            entry[0] -= size
            entry[1] -= blocks
    return _ranked(merged, calls)


def _by_stack(rows: Iterable[Any]) -> dict[tuple[_Stack, bool], tuple[int, int]]:
    merged: dict[tuple[_Stack, bool], tuple[int, int]] = {}
    for frames, python, size, blocks in rows:
        key = (tuple((f[0], f[1], f[2]) for f in frames), bool(python))
        had = merged.get(key, (0, 0))
        merged[key] = (had[0] + size, had[1] + blocks)
    return merged


def _place(stack: _Stack) -> str:
    places = [f"{filename}:{line}" for _, filename, line in stack]
    return next((place for place in places if not is_stdlib(place)), places[0])


def _ranked(merged: dict[tuple[str, bool], list[Any]], calls: int) -> tuple[Site, ...]:
    total = sum(entry[0] for entry in merged.values() if entry[0] > 0)
    rows = sorted(merged.items(), key=lambda item: -item[1][0])
    return tuple(
        _site(place, python, stack, size / calls, blocks / calls)
        for (place, python), (size, blocks, stack, _) in rows
        if size > 0 and size >= LEAST_SHARE * total
    )


def _site(place: str, python: bool, stack: _Stack, size: float, blocks: float) -> Site:
    names = [f for f in stack if f"{f[1]}:{f[2]}" == place]
    return Site(
        site=place,
        function=names[0][0] if names else "",
        bytes_per_call=size,
        blocks_per_call=blocks,
        native=not python,
        stack=tuple(f"{filename}:{line}" for _, filename, line in stack[:MOST_FRAMES]),
    )


def held_at_peak(traced: dict[str, Any]) -> tuple[Site, ...]:
    """Return the sites that held most at the high-water mark; bytes in all, not a call."""
    rows = [
        _site(_place(stack), python, stack, size, blocks)
        for (stack, python), (size, blocks) in _by_stack(traced["peak"]).items()
    ]
    return tuple(sorted(rows, key=lambda site: -site.bytes_per_call))

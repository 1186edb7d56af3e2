"""Make culprits of the groups of survivors: what is held, by whom, how heavy, made where."""

from collections.abc import Iterator
from typing import Any

from memcurve.explain.advice import Signs, advise
from memcurve.explain.figures import Growth
from memcurve.explain.fingerprint import fingerprint
from memcurve.explain.places import as_places, site_of
from memcurve.model.findings import OUTSIDE, Culprit, Cycle, TypeCount

OWNERS = ("client", "session", "engine", "connection")
"""Endings of the names of what a person opens and closes, the outermost kind first."""
CONTAINERS = ("dict", "list", "tuple", "set", "collections.deque")

_Fact = dict[str, Any]


def held_culprits(
    growth: Growth, surveys: _Fact, calls: int, cycles: tuple[Cycle, ...]
) -> Iterator[Culprit]:
    """Yield a culprit for each group of a survivors pass.

    Its bytes are those that letting it go freed, malloc's included; where that could not be done,
    the sizes of its objects.
    """
    made = surveys.get("sites", {}).get("sites", [])
    weighed = dict(surveys.get("release", {}).get("released", []))
    for number, group in enumerate(surveys.get("end", {}).get("groups", [])):
        where = made[number] if number < len(made) else {}
        yield _of_group(growth, group, where, weighed.get(number), calls, cycles)


def types_of(rows: list[Any], calls: int) -> tuple[TypeCount, ...]:
    """Return counts a call from a worker's rows of [type, count, bytes]."""
    return tuple(
        TypeCount(type=name, per_call=count / calls, bytes_per_call=size / calls)
        for name, count, size in rows
    )


def _of_group(
    growth: Growth,
    group: _Fact,
    made: _Fact,
    weighed: _Fact | None,
    calls: int,
    cycles: tuple[Cycle, ...],
) -> Culprit:
    own, native = _weights(group, weighed, calls)
    root = str((weighed or {}).get("root", group["root"]))
    path, kind, heavy = _named(group, weighed, root)
    frames = as_places(made.get(kind) or made.get(group["type"]))
    signs = Signs(
        type=kind,
        heavy=heavy,
        root=root,
        path=path,
        traits=tuple(group["traits"]),
        bound=group["bound"],
    )
    return Culprit(
        type=kind,
        per_call=group["objects"] / calls,
        bytes_per_call=own + (0 if root == OUTSIDE else group["entries_bytes"] / (2 * calls)),
        native_per_call=native,
        root=root,
        path=path,
        site=site_of(frames),
        stack=frames,
        holds=types_of(group["types"], calls),
        cycle=_cycle_of(kind, cycles),
        bound=group["bound"],
        advice=advise(signs),
        fingerprint=mark_of(growth, group),
    )


def mark_of(growth: Growth, group: _Fact) -> str:
    """Return the fingerprint of a group: how far down its weight was followed may differ."""
    return fingerprint(growth.scenario, group["type"], group["root"], tuple(group["path"]), "")


def _weights(group: _Fact, weighed: _Fact | None, calls: int) -> tuple[float, float]:
    """Return the bytes a call of a group, all and malloc's; of malloc's, 0 where not weighed.

    What frees less than its own sizes is held by something else too, and counts with its sizes.
    """
    sizes = group["bytes"] / calls
    if weighed is None or not weighed["heads"]:
        return sizes, 0.0
    each = max(group["objects"] / calls, 1 / calls) / weighed["heads"]
    freed = (weighed["python"] + weighed["malloc"]) * each
    return max(freed, sizes), max(weighed["malloc"], 0) * each


def _named(group: _Fact, weighed: _Fact | None, root: str) -> tuple[tuple[str, ...], str, str]:
    """Return path, the type to name, and the type that carries the native weight."""
    path = list(group["path"]) if root == group["root"] else [root, *group["path"][1:]]
    if root == OUTSIDE:
        path = [OUTSIDE]
    steps = weighed["steps"] if weighed is not None else []
    if not steps:
        return tuple(path), group["type"], ""
    below = [f"{label.strip()}: {text}" for label, text, _, _ in steps]
    known = max((n for n in range(len(below) + 1) if path[len(path) - n :] == below[:n]), default=0)
    path.extend(below[known:])
    kinds = [group["type"], *(kind for _, _, kind, _ in steps)]
    named = _owner_of(kinds)
    return tuple(path), group["type"] if named in CONTAINERS else named, kinds[-1]


def _owner_of(kinds: list[str]) -> str:
    """Return the type that a person would close: a client before its connection, else the last."""
    for ending in OWNERS:
        owners = [kind for kind in kinds if kind.rpartition(".")[2].lower().endswith(ending)]
        if owners:
            return owners[-1]
    return kinds[-1]


def _cycle_of(kind: str, cycles: tuple[Cycle, ...]) -> str:
    for cycle in cycles:
        if any(count.type == kind for count in cycle.types):
            return cycle.words
    return ""

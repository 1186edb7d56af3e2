"""Make culprits of the groups of survivors: what is held, by whom, how heavy, made where."""

from collections.abc import Iterator, Sequence

from memcurve.explain.advice import advise
from memcurve.explain.figures import Growth
from memcurve.explain.fingerprint import fingerprint
from memcurve.explain.holding import LOST, who_has
from memcurve.explain.places import site_of, user_site_of
from memcurve.explain.signs import Signs
from memcurve.model.answers import Frame, PathStep, TypeTotal, texts_of
from memcurve.model.findings import OUTSIDE, Cohort, Culprit, Cycle, TypeCount
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import Outlived, Release, SurvivorGroup

OWNERS = ("client", "session", "engine", "connection")
"""Endings of the names of what a person opens and closes, the outermost kind first."""

WINDOWS = 2
"""A container's own growth is counted over both windows of the pass, all else over the first."""
_Made = dict[str, tuple[Frame, ...]]


def held_culprits(
    growth: Growth, surveys: Surveys, calls: int, cycles: tuple[Cycle, ...]
) -> Iterator[Culprit]:
    """Yield a culprit for each group of a survivors pass.

    Its bytes are those that letting it go freed, malloc's included; where that could not be done,
    the sizes of its objects.
    """
    made = surveys.sites.sites if surveys.sites is not None else ()
    released = surveys.release.released if surveys.release is not None else ()
    weighed = {release.group: release for release in released}
    outside = surveys.release.outside if surveys.release is not None else ()
    outlived = {one.group: one for one in outside if one.group not in weighed}
    mark = surveys.mark.call if surveys.mark is not None else 0
    groups = surveys.survivors.groups if surveys.survivors is not None else ()
    for number, group in enumerate(groups):
        where = made[number] if number < len(made) else {}
        found = outlived.get(number)
        if found is not None and 2 * found.alive < found.heads:
            continue  # it went with what was let go, and is in its weight
        yield _of_group(growth, group, where, weighed.get(number), found, calls, mark, cycles)


def types_of(totals: Sequence[TypeTotal], calls: int) -> tuple[TypeCount, ...]:
    """Return counts a call from counts in all."""
    return tuple(
        TypeCount(
            type=total.type,
            per_call=total.count / calls,
            bytes_per_call=total.bytes / calls,
        )
        for total in totals
    )


def _of_group(
    growth: Growth,
    group: SurvivorGroup,
    made: _Made,
    weighed: Release | None,
    outlived: Outlived | None,
    calls: int,
    mark: int,
    cycles: tuple[Cycle, ...],
) -> Culprit:
    own, native = _weights(group, weighed, calls)
    root = weighed.root if weighed is not None and weighed.root else group.root
    path, kind, heavy = _named(group, weighed, root)
    lost = root == OUTSIDE
    if lost and outlived is not None and outlived.holder:
        root, text = who_has(outlived.holder, outlived.where)
        path = (PathStep("", text),)
    frames = tuple(frame.place for frame in made.get(kind) or made.get(group.type, ()))
    signs = Signs(
        type=kind,
        heavy=heavy,
        root=root,
        path=path,
        traits=group.traits,
        bound=group.bound,
        lost=_is_lost(outlived),
    )
    entries, entries_malloc = (
        0.0 if lost else size / (WINDOWS * calls)
        for size in (group.entries_bytes, group.entries_malloc)
    )
    return Culprit(
        type=kind,
        per_call=group.objects / calls,
        bytes_per_call=own + entries,
        native_per_call=native + entries_malloc,
        holders=group.holders,
        root=root,
        path=texts_of(path),
        steps=path,
        step_bytes=_step_bytes(group, weighed, path, own + entries, calls),
        cohorts=_cohorts(group, mark, calls),
        site=site_of(frames),
        user_site=user_site_of(frames),
        stack=frames,
        sample=group.sample,
        lost_references=group.objects / calls if lost and _is_lost(outlived) else 0.0,
        holds=types_of(group.types, calls),
        cycle=_cycle_of(kind, cycles),
        bound=group.bound,
        advice=advise(signs),
        fingerprint=mark_of(growth, group),
    )


def _step_bytes(
    group: SurvivorGroup,
    weighed: Release | None,
    path: tuple[PathStep, ...],
    whole: float,
    calls: int,
) -> tuple[float, ...]:
    """Return the bytes a call that go when each step is let go: all down to the objects.

    Below them, what malloc got back when one object's part was cut off.
    """
    steps = weighed.steps if weighed is not None else ()
    each = group.objects / calls
    below = [min(max(step.malloc, 0) * each, whole) for step in steps]
    above = max(len(path) - len(below), 0)
    return (*(whole for _ in range(above)), *below[len(below) - (len(path) - above) :])


def _cohorts(group: SurvivorGroup, mark: int, calls: int) -> tuple[Cohort, ...]:
    """Return how many of both windows are alive; none where what is counted is below the heads."""
    if not group.later:
        return ()
    middle = mark + calls
    return (
        Cohort(first=mark + 1, last=middle, alive=group.objects),
        Cohort(first=middle + 1, last=middle + calls, alive=group.later),
    )


def _is_lost(outlived: Outlived | None) -> bool:
    return outlived is not None and outlived.holder == LOST


def mark_of(growth: Growth, group: SurvivorGroup) -> str:
    """Return the fingerprint of a group: how far down its weight was followed may differ."""
    return fingerprint(growth.scenario, group.type, group.root, texts_of(group.path), "")


def _weights(group: SurvivorGroup, weighed: Release | None, calls: int) -> tuple[float, float]:
    """Return the bytes a call of a group, all and malloc's.

    What frees less than its own sizes is held by something else too, and counts with its sizes.
    """
    sizes, of_malloc = group.bytes / calls, group.malloc / calls
    if weighed is None or not weighed.heads:
        return sizes, of_malloc
    each = max(group.objects / calls, 1 / calls) / weighed.heads
    freed = (weighed.python + weighed.malloc) * each
    if freed < sizes:
        return sizes, max(of_malloc, min(weighed.malloc * each, sizes))
    return freed, min(max(weighed.malloc, 0) * each, freed)


def _named(
    group: SurvivorGroup, weighed: Release | None, root: str
) -> tuple[tuple[PathStep, ...], str, str]:
    """Return path, the type to name, and the type that carries the native weight."""
    path = list(group.path) if root == group.root else [PathStep("", root), *group.path[1:]]
    if root == OUTSIDE:
        path = [PathStep("", OUTSIDE)]
    steps = weighed.steps if weighed is not None else ()
    if not steps:
        return tuple(path), group.type, ""
    below = [PathStep(step.label.strip(), step.thing) for step in steps]
    known = max((n for n in range(len(below) + 1) if path[len(path) - n :] == below[:n]), default=0)
    path.extend(below[known:])
    kinds = [group.type, *(step.type for step in steps)]
    return tuple(path), _owner_of([group.type, *filter(_is_named, kinds[1:])]), kinds[-1]


def _is_named(kind: str) -> bool:
    """Say whether a person would look for a class by its name: not for a dict, or a buffer."""
    return "." in kind and kind != "collections.deque"


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

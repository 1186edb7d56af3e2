"""What a survivors pass answers: what was born and stayed, who holds it, what letting go frees."""

import msgspec

from memcurve.model.answers import Answer, Frame, PathStep, TypeTotal


class WindowMark(Answer, frozen=True, kw_only=True):
    """Where a window of a survivors pass began or ended, and how many objects there were."""

    call: int
    objects: int


class SurvivorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """New objects of one type below one holder, born in the first window and alive at the end.

    `bytes` are their own sizes and those of what hangs below them, `malloc` that heap's part.
    `entries_bytes` is what the entries gained since the mark, over both windows, added to the
    holder itself. `holders` counts the holders of that shape. `later` are those born in the second
    window.
    """

    type: str
    objects: int
    bytes: int
    root: str
    path: tuple[PathStep, ...]
    malloc: int = 0
    later: int = 0
    holders: int = 1
    holder: str = ""
    entries_before: int | None = None
    entries_after: int | None = None
    entries_bytes: int = 0
    entries_malloc: int = 0
    bound: str = ""
    traits: tuple[str, ...] = ()
    sample: str = ""
    types: tuple[TypeTotal, ...] = ()


class GrownBuffer(msgspec.Struct, frozen=True, kw_only=True):
    """A buffer that was there before and grew by `grown` bytes since the mark.

    With `replaced` the last of those that took each other's place, each longer than the one before.
    It is `size` bytes by now.
    """

    type: str
    grown: int
    root: str
    path: tuple[PathStep, ...]
    size: int = 0
    replaced: bool = False


class OpenedDescriptors(msgspec.Struct, frozen=True, array_like=True):
    """How many descriptors of one kind are open that were not at the mark."""

    kind: str
    count: int


class SurvivorsSurvey(Answer, frozen=True, kw_only=True):
    """What was born in the first window, of `calls` calls, and outlived the second.

    `grown` and `descriptors` are counted over `calls_since_mark`: both windows. `files` says
    whether a survivor's class can have a descriptor.
    """

    calls: int
    calls_since_mark: int
    groups: tuple[SurvivorGroup, ...] = ()
    types: tuple[TypeTotal, ...] = ()
    grown: tuple[GrownBuffer, ...] = ()
    descriptors: tuple[OpenedDescriptors, ...] = ()
    files: bool = True
    call: int = 0


class DrawingsSurvey(Answer, frozen=True, kw_only=True):
    """For each of the first groups who refers to a survivor of it, in the language of graphviz."""

    drawings: tuple[str | None, ...] = ()


class SitesSurvey(Answer, frozen=True, kw_only=True):
    """For each of the first groups where objects of its types are made, innermost frame first."""

    sites: tuple[dict[str, tuple[Frame, ...]], ...] = ()


class WeightStep(msgspec.Struct, frozen=True, array_like=True):
    """A step down to what carries the native weight: `malloc` bytes went when it was cut off."""

    label: str
    thing: str
    type: str
    malloc: int


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What letting one group go freed, by heap, and of how many of its heads.

    `root` is another kind of root than the group's where letting go proved it; "" otherwise.
    """

    group: int
    python: int
    malloc: int
    heads: int
    steps: tuple[WeightStep, ...] = ()
    root: str = ""


class UntrackedObjects(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one type that the collector does not track, and that nothing in Python leads to.

    Born in the first window, alive at the end; `bytes` are their own sizes, `malloc` that heap's
    part. `holder` says who has their addresses (see the worker's `address_search`): "lost" if
    nobody, "object", "library", "malloc" or "interned" where they stand, "unknown" where nobody
    could look; `where` names it. Each counts `references`, 0 where it is kept forever. `sample` is
    the beginning of one, of text and bytes only; `stack` is where they are made, innermost first.
    """

    type: str
    objects: int
    bytes: int
    malloc: int
    holder: str
    where: str = ""
    references: int = 0
    sample: str = ""
    stack: tuple[Frame, ...] = ()


class Outlived(msgspec.Struct, frozen=True, kw_only=True):
    """How many heads of a group with no holder outlived the cuts, and who has their addresses.

    `holder` and `where` as for `UntrackedObjects`; "" where none outlived them.
    """

    group: int
    alive: int
    heads: int
    holder: str = ""
    where: str = ""


class ReleaseSurvey(Answer, frozen=True, kw_only=True):
    """What letting the heaviest groups go freed, and what outlived it with no holder."""

    released: tuple[Release, ...] = ()
    lost: tuple[UntrackedObjects, ...] = ()
    outside: tuple[Outlived, ...] = ()

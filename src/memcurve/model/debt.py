"""What stands at once because the collector has not come yet: as measured, and as forecast."""

import math
from typing import Literal

import msgspec

DebtName = Literal["calm", "heavy"]
ActKind = Literal["nothing", "collect", "threshold", "freeze"]


class Churn(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of a workload is to the collector.

    objects, bytes    what it leaves that only the collector frees
    net               by how much it raises the count that a collection starts by
    peak              by how much at most before it is over
    starts            how many collections start within one call, by threshold
    left              objects that such a call leaves all the same, by threshold
    alive             objects, garbage later, that are alive when a collection comes: they grow old
    alive_bytes       what those weigh
    recent            all objects that are alive then and were born since the last one
    heap              objects that the collector tracks in the process
    revived           finalizers bring it back once: it outlives the collection that finds it
    threshold         of the first count, where the program has set one; 0: no collector runs
    collected         calls between two full collections that the program asks for
    """

    objects: float
    bytes: float
    net: float
    peak: float = 0.0
    starts: dict[int, float] = {}
    left: dict[int, float] = {}
    alive: float = 0.0
    alive_bytes: float = 0.0
    recent: float = 0.0
    heap: int = 0
    revived: bool = False
    threshold: int | None = None
    collected: float = math.inf


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """The cyclic collector of some versions of CPython, with the threshold of its first count."""

    versions: str
    threshold: int
    incremental: bool = False


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at once at most under one collector.

    `every` is how many calls pass between two looks at what is young; the garbage of `calls` calls
    stands at once, which is `objects` and `bytes`; it takes `after` calls until so much does.
    """

    versions: str
    every: float
    calls: float
    objects: float
    bytes: float
    after: float


class Stood(msgspec.Struct, frozen=True, kw_only=True):
    """The most that stood at once in a pass of `calls` calls as production runs them: at call `at`.

    The bytes are live ones above the settled level at the same call.
    """

    bytes: int
    at: int
    calls: int


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do about garbage that stands.

    "collect": gc.collect() after each `number` calls; "threshold": gc.set_threshold(number);
    "freeze": gc.freeze() before the first call; "nothing": to compare with.
    """

    kind: ActKind = "nothing"
    number: int = 0


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """What one act leaves standing of what stood without it, over as many calls.

    `cpu_share` is how much more CPU time the calls then took: 0.1 is a tenth more.
    """

    act: Act
    stood: int
    without: int
    calls: int
    cpu_share: float = 0.0


class _Debt(msgspec.Struct, frozen=True, kw_only=True, tag_field="verdict"):
    """What a call leaves to the collector, and how much of it stands at once.

    `stood` is None where no pass ran as production does. `here` is the forecast for the interpreter
    that was measured: None where nobody knows its collector, or nothing waits. `descriptors` wait
    with each call's garbage. More than `limit` bytes at once are heavy.
    """

    bytes_per_call: float
    objects_per_call: float
    limit: float
    descriptors_per_call: float = 0.0
    stood: Stood | None = None
    here: Forecast | None = None
    forecasts: tuple[Forecast, ...] = ()

    @property
    def bytes(self) -> float:
        """The most that stands at once: as it was seen, or as it is forecast."""
        seen = self.stood.bytes if self.stood is not None else 0
        return max(float(seen), self.here.bytes if self.here is not None else 0.0)

    @property
    def calls(self) -> float:
        """The calls whose garbage that is."""
        return self.bytes / self.bytes_per_call if self.bytes_per_call > 0 else 0.0


class Calm(_Debt, frozen=True, kw_only=True, tag="calm"):
    """What stands at once is no more than is allowed."""


class Heavy(_Debt, frozen=True, kw_only=True, tag="heavy"):
    """More stands at once than is allowed; `reliefs` say what would help, as it was measured."""

    reliefs: tuple[Relief, ...] = ()


Debt = Calm | Heavy


def debt_name(debt: Debt) -> DebtName:
    """Return the verdict as the word that JSON and tables use."""
    return "heavy" if isinstance(debt, Heavy) else "calm"

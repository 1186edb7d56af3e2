"""What was measured: all passes of one design of one scenario, raw.

A recording is a value. It knows its JSON form and nothing about files (`store`) or about what the
figures mean (`judge`).
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec

from memcurve.model.curve import Curve
from memcurve.model.errors import RecordingError
from memcurve.model.surveys import Surveys

SCHEMA_VERSION = 1

RESOURCES = ("fds", "threads", "tasks", "processes", "zombies")
"""Counters of what a process may hold, other than memory; each has a verdict of its own."""

PassKind = Literal["natural", "settled", "survivors", "allocations"]
Mode = Literal["natural", "settled", "unfrozen", "patient"]
FailureKind = Literal["target", "raised", "exited", "killed", "timeout", "out_of_memory", "lost"]


def timestamp() -> str:
    """Return the time of day as recordings and baselines carry it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


STARTING_CALLS = 5
"""In which a pool of processes is started: what it brings along is kept by no call."""
HEAPS = ("python_bytes", "malloc_bytes")
SUMS = {"heap_bytes": HEAPS, "live_bytes": (*HEAPS, "mapped_bytes", "children_bytes")}
"""Curves that are no counters of their own."""
LEFT_BY_CALLS = ("deferred_bytes", "deferred_objects")
"""Counters of which a row holds what all calls since the row before left."""


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of counters: `counters[name][i]` was read after call `calls[i]`; None: not read.

    What calls left to the collector is a sum over all calls since the row before.
    """

    calls: tuple[int, ...] = ()
    counters: dict[str, tuple[int | None, ...]] = {}

    def __repr__(self) -> str:
        """Stay short: a verdict in a failed assertion is printed with its recording."""
        return f"<Samples of {len(self.calls)} rows: {', '.join(self.counters)}>"

    def curve(self, counter: str) -> Curve:
        """Return the rows in which `counter` was read.

        ``heap_bytes`` is the sum of both heaps, ``live_bytes`` that of all that is held: both
        heaps, what is mapped past them, and child processes. Of what several calls left to the
        collector each of them has its share, rounded.
        """
        if counter in SUMS:
            values = self._sum(*SUMS[counter])
        elif counter in LEFT_BY_CALLS:
            values = self._shares(counter)
        else:
            values = self.counters.get(counter, ())
        rows = [(c, v) for c, v in zip(self.calls, values, strict=False) if v is not None]
        return Curve(
            counter=counter, calls=tuple(c for c, _ in rows), values=tuple(v for _, v in rows)
        )

    def left_a_call(self, counter: str, first: int, last: int) -> float | None:
        """Return what one of the calls after `first` up to `last` left, by the rows between them.

        Exact, where shares by row are rounded. None without a row there.
        """
        rows = [row for row in self._read(counter) if first < row[1] <= last]
        if not rows or rows[-1][1] == rows[0][0]:
            return None
        return sum(value for _, _, value in rows) / (rows[-1][1] - rows[0][0])

    def _shares(self, counter: str) -> tuple[int | None, ...]:
        shares = {b: round(value / max(b - a, 1)) for a, b, value in self._read(counter)}
        return tuple(shares.get(call) for call in self.calls)

    def _read(self, counter: str) -> list[tuple[int, int, int]]:
        """Return (call of the row before, call, value) of all rows in which it was read."""
        column = zip(self.calls, self.counters.get(counter, ()), strict=False)
        rows = [(call, value) for call, value in column if value is not None]
        return [(a, b, v) for (a, _), (b, v) in zip(((0, 0), *rows), rows, strict=False)]

    def _sum(self, *names: str) -> tuple[int | None, ...]:
        columns = [self.counters[name] for name in names if name in self.counters]
        return tuple(sum(v or 0 for v in row) for row in zip(*columns, strict=True))


class InFlight(msgspec.Struct, frozen=True, kw_only=True):
    """What calls left running and the grace did not see end."""

    tasks: int = 0
    timers: int = 0
    threads: int = 0

    def __bool__(self) -> bool:
        return bool(self.tasks or self.timers or self.threads)


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A container that declares a bound and was not full: `size` of `bound` entries.

    `entry_bytes` is the shallow size of what is reachable from it, divided by its entries; `id`
    tells two containers of one name apart within one recording.
    """

    kind: str
    name: str
    id: int
    size: int
    bound: int
    entry_bytes: float


class ChildProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that descends from the measured one.

    `bytes` is what it holds without what it inherited, `gained` how much of that came since it was
    first seen. `role` tells what started it, such as "multiprocessing pool worker".
    """

    pid: int
    role: str
    command: str
    bytes: int
    gained: int


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was freed at call `call` once nothing was frozen and nothing in flight any more."""

    call: int
    released_bytes: int
    waited_bytes: int
    unfrozen_objects: int
    in_flight: InFlight
    bounds: tuple[Bound, ...] = ()
    children: tuple[ChildProcess, ...] = ()


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pass ended early: at which stage, in which call (from 1), and what was said."""

    stage: Literal["start", "import", "setup", "call", "teardown"]
    kind: FailureKind
    message: str
    call: int | None = None
    traceback: str = ""
    output: str = ""

    @property
    def line(self) -> str:
        """One line that names the stage, the call and what happened."""
        places = {"call": f"call {self.call}" if self.call else "a call", "start": "the start"}
        place = places.get(self.stage, f"the {self.stage}")
        if self.kind in ("target", "timeout"):
            return self.message
        if self.kind == "out_of_memory" and self.message.startswith("call "):
            return self.message  # of the guard, which names the call
        if self.kind in ("raised", "out_of_memory"):
            return f"{place} raised {self.message}"
        return f"{self.message} in {place}"


class PassRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One pass in one process. Times are of the pass: seconds of CPU and of the clock.

    `calls` are those that were counted, `looked_at` those of the look that it ended with.
    """

    kind: PassKind
    mode: Mode
    samples: Samples = Samples()
    verifications: tuple[Verification, ...] = ()
    surveys: Surveys = Surveys()
    failure: Failure | None = None
    isolation: str = "fork"
    calls: int = 0
    looked_at: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    sampling_s: float = 0.0
    elapsed_s: float = 0.0

    @property
    def grown_bytes(self) -> int:
        """By how much live memory rose since before the first call.

        What child processes bring along when they are started counts from then on.
        """
        live, children = (self.samples.curve(name) for name in ("live_bytes", "children_bytes"))
        if not len(live):
            return 0
        brought = children.at(STARTING_CALLS) - children.values[0] if len(children) else 0
        return live.values[-1] - live.values[0] - brought


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """How a counter was read, whether to the byte, and what that costs."""

    name: str
    exact: bool
    note: str = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter that was measured. `key` says which recordings compare.

    `cpus` are the processors that it may use, 0 in recordings that do not say.
    """

    python: str
    implementation: str
    platform: str
    machine: str
    libc: str
    allocator: str
    free_threaded: bool
    sources: dict[str, Source]
    packages: dict[str, str]
    executable: str = ""
    cpus: int = 0

    @property
    def key(self) -> str:
        """The name under which baselines of this environment are kept."""
        minor = ".".join(self.python.split(".")[:2]) + ("t" if self.free_threaded else "")
        libc = self.libc.split()[0] if self.libc else "libc"
        name = self.implementation.lower()
        return f"{name}{minor}-{self.platform}-{self.machine}-{libc}-{self.allocator}"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """All passes of one design of one scenario, with the environment that they ran in.

    `tried` are natural passes with something done about the garbage that stands, and one with
    nothing done, of as many calls. `set_aside` are the settled passes of a first measurement,
    whose curves left their accepted bands, so that it was made again. `host` tells machines apart
    where an executor chose one: time does not compare between two of them.
    """

    schema_version: int = SCHEMA_VERSION
    scenario: str
    design: str
    target: str
    calls: int
    environment: Environment | None
    passes: tuple[PassRecord, ...]
    set_aside: tuple[PassRecord, ...] = ()
    tried: tuple[PassRecord, ...] = ()
    recorded_at: str = ""
    host: str = ""

    def of(self, kind: PassKind) -> PassRecord | None:
        """Return the last pass of that kind: a repeated one replaces the one before it."""
        return next((p for p in reversed(self.passes) if p.kind == kind), None)

    @property
    def first_settled(self) -> PassRecord | None:
        """The settled pass that every run has, whatever a verification asked for after it.

        Curves of two runs compare by it: one run may have repeated the pass in another mode.
        """
        return next((p for p in self.passes if p.kind == "settled"), None)

    @property
    def failure(self) -> Failure | None:
        """The first failure of a pass that counts, if any; what explains decides nothing."""
        counting = (p for p in self.passes if p.kind in ("settled", "natural"))
        return next((p.failure for p in counting if p.failure is not None), None)

    @property
    def ran(self) -> bool:
        """Whether any call of it was counted."""
        return any(record.calls > 0 for record in self.passes)

    def to_json(self) -> bytes:
        """Return the recording as JSON."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(data: bytes) -> "Recording":
        """Read a recording; raises RecordingError if it is damaged or of another version."""
        try:
            version = msgspec.json.decode(data, type=_Version).schema_version
            if version != SCHEMA_VERSION:
                raise RecordingError(
                    f"schema version {version} is not {SCHEMA_VERSION}; record it again"
                )
            return msgspec.json.decode(data, type=Recording)
        except msgspec.DecodeError as error:
            raise RecordingError(f"not a recording: {error}; record it again") from error


class _Version(msgspec.Struct):
    schema_version: int

"""What can be measured on a machine: counters, tools, and the memory that is left."""

import msgspec

from memcurve.model.recording import Environment

DIAGNOSIS_VERSION = 1


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest limit on memory: who sets it, and the bytes that are left of it.

    `limit_bytes` is None where only the machine limits; `calls_left` is how many calls it takes to
    get there at the present slope, None where nothing is proved to grow.
    """

    source: str
    limit_bytes: int | None
    left_bytes: int
    calls_left: int | None = None


class CounterSource(msgspec.Struct, frozen=True, kw_only=True):
    """How one counter is read; `note` says what a stand-in costs, or is empty."""

    counter: str
    source: str
    exact: bool
    note: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Something optional: whether it is there, and what it is good for."""

    name: str
    found: bool
    purpose: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What can be measured, as `memcurve doctor --json` prints it.

    `exact` says whether anything at all is counted exactly in bytes; `row_s` is what one reading of
    both heaps costs in seconds of CPU.
    """

    schema_version: int = DIAGNOSIS_VERSION
    exact: bool
    environment: Environment
    key: str
    counters: tuple[CounterSource, ...]
    isolation: tuple[str, ...]
    thread_cache_off: bool
    row_s: float
    tools: tuple[Tool, ...]
    headroom: Headroom | None
    notes: tuple[str, ...]

"""Accepted curves with their tolerance bands: the thresholds of one scenario in one environment."""

import msgspec

from memcurve.model.recording import Environment

BASELINE_VERSION = 1


class AcceptedCurve(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted curve of one counter, relative to call 0, and the band it may move in.

    `calls`, `values`, `low` and `high` stand side by side. The band comes from repeated runs and
    is never narrower than one observed blip.
    """

    counter: str
    calls: tuple[int, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class AcceptedDesign(msgspec.Struct, frozen=True, kw_only=True):
    """What was accepted of one design: its curves by counter, and the verdict they had.

    `garbage_bytes` is the most garbage that stood at once in any of the repeats.
    """

    curves: dict[str, AcceptedCurve]
    verdict: str
    retained_per_call: float = 0.0
    deferred_per_call: float = 0.0
    garbage_bytes: float = 0.0


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds of one scenario, why they were accepted, and where they were measured."""

    schema_version: int = BASELINE_VERSION
    scenario: str
    environment: Environment
    reason: str
    accepted_at: str
    repeats: int
    designs: dict[str, AcceptedDesign]

"""Say how one test is measured: its marker first, then the command line and configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from memcurve.model.effort import Effort, effort_for
from memcurve.model.errors import MemcurveError
from memcurve.model.recording import RESOURCES
from memcurve.model.thresholds import Thresholds
from memcurve.model.units import parse_bytes
from memcurve.run.options import Options

Isolation = Literal["auto", "fork", "none"]

QUICK = Thresholds(first_look=120, flat_tail=80, enough=200, conviction=400, most_calls=800)


class SettingsError(MemcurveError):
    """A marker or a setting has a name or a value that nothing can be done with."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may grow by how much a call; None: not gated. `named` are those that the test gave.

    `mapped` and `children` are parts of `retained`, and may be allowed less than the whole.
    `allocated` and `peak` are bytes of one call, and measured only where one of them is given.
    """

    retained: float = 1.0
    deferred: float | None = None
    fds: float | None = 0.0
    threads: float | None = 0.0
    tasks: float | None = 0.0
    processes: float | None = 0.0
    zombies: float | None = 0.0
    mapped: float | None = None
    children: float | None = None
    allocated: float | None = None
    peak: float | None = None
    named: dict[str, object] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides how a test is measured and judged."""

    options: Options
    effort: Effort
    limits: Limits
    isolation: Isolation = "auto"
    inconclusive: Literal["fail", "warn"] = "fail"
    baselines: Path = Path("memcurve-baselines")
    quick: bool = False
    explain: bool = True


_NAMES = ("calls", "budget", "retained", "deferred", "garbage", "max_bytes")
_COUNTS = RESOURCES
_PARTS = ("mapped", "children")
_TRACED = ("allocated", "peak")
_MARKER_NAMES = (*_NAMES, *_COUNTS, *_PARTS, *_TRACED, "timeout", "grace", "isolation")


def read_settings(config: pytest.Config, given: Mapping[str, object]) -> Settings:
    """Return the settings of one test; `given` are the keywords of its marker or call.

    Raises SettingsError for a keyword that does not exist or a value that cannot be read.
    """
    unknown = sorted(set(given) - set(_MARKER_NAMES))
    if unknown:
        known = ", ".join(_MARKER_NAMES)
        raise SettingsError(f"memcurve has no keyword {unknown[0]!r}; it has {known}")
    explains = config.getini("memcurve_explain") is not False
    quick = bool(config.getoption("memcurve_quick") or config.getini("memcurve_quick"))
    values = {name: config.getini(f"memcurve_{name}") for name in _NAMES}
    values |= dict.fromkeys(_COUNTS, 0)
    values = {name: value for name, value in values.items() if value is not None} | dict(given)
    try:
        limits = _limits(values, given)
        thresholds = _thresholds(values, limits, quick)
        samples = config.getini("memcurve_samples") is not False
        options = _options(values, thresholds, samples=samples)
        effort = _effort(values, thresholds, quick=quick, looks=explains)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"memcurve cannot use a setting: {error}") from error
    open_question = config.getini("memcurve_inconclusive") or "fail"
    return Settings(
        options=options,
        effort=effort,
        limits=limits,
        isolation=_chosen("isolation", values.get("isolation", "auto"), ("auto", "fork", "none")),
        inconclusive=_chosen("inconclusive", open_question, ("fail", "warn")),
        baselines=config.rootpath / (config.getini("memcurve_baselines") or "memcurve-baselines"),
        quick=quick,
        explain=explains,
    )


def _limits(values: Mapping[str, object], given: Mapping[str, object]) -> Limits:
    gated = ("retained", "deferred", "garbage", *_COUNTS, *_PARTS, *_TRACED)
    named = {name: given[name] for name in gated if name in given}
    deferred = values.get("deferred")
    return Limits(
        retained=max(_bytes(values.get("retained", 1.0)), 1.0),
        deferred=None if deferred is None else _bytes(deferred),
        **{name: _count(values[name]) for name in _COUNTS},
        **{name: _bytes(values[name]) for name in (*_PARTS, *_TRACED) if name in values},
        named=named,
    )


def _thresholds(values: Mapping[str, object], limits: Limits, quick: bool) -> Thresholds:
    thresholds = QUICK if quick else Thresholds()
    floor = max(thresholds.floor_limit, limits.retained)
    changed = {"tolerance": limits.retained, "floor_limit": floor}
    for name, field in {"max_bytes": "max_bytes", "garbage": "max_garbage"}.items():
        if name in values:
            changed[field] = int(_bytes(values[name]))
    return msgspec.structs.replace(thresholds, **changed)


def _options(values: Mapping[str, object], thresholds: Thresholds, *, samples: bool) -> Options:
    return Options(
        call_timeout_s=float(str(values.get("timeout", 30.0))),
        grace_s=float(str(values.get("grace", 1.0))),
        samples=samples,
        thresholds=thresholds,
    )


def _effort(
    values: Mapping[str, object], thresholds: Thresholds, *, quick: bool, looks: bool
) -> Effort:
    budget, calls = values.get("budget"), values.get("calls")
    calls = None if calls is None else int(str(calls))
    if calls is not None and calls < 1:
        raise ValueError(f"calls={calls}; ask for 1 or more")
    return effort_for(
        min(calls, thresholds.first_look) if quick and calls is not None else calls,
        None if budget is None else float(str(budget)),
        thresholds,
        counted="work",
        looks=looks,
    )


def _bytes(value: object) -> float:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a size; write one such as '64 B' or '8 KiB'")
    return parse_bytes(value)


def _count(value: object) -> float | None:
    return None if value is None else float(str(value))


def _chosen(name: str, value: object, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise SettingsError(
            f"memcurve cannot use {name}={value!r}; it is one of {', '.join(known)}"
        )
    return value

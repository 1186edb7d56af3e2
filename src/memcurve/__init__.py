"""Runs a workload again and again, counts its live memory to the byte after every call, and says
whether it leaks, by how much, what survives and who holds it.

Names are loaded at their first use: importing memcurve alone loads nothing heavy.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memcurve.api import acheck, check
    from memcurve.errors import MemcurveError
    from memcurve.judge.thresholds import Thresholds
    from memcurve.judge.verdict import Flat, Growing, Inconclusive, Plateaued, Verdict
    from memcurve.scenario import Backend, Lead, Scenario, Target, scenario
    from memcurve.watch import watch

__version__ = "0.1.0"

_HOMES = {
    "Backend": "memcurve.scenario",
    "Flat": "memcurve.judge.verdict",
    "Growing": "memcurve.judge.verdict",
    "Inconclusive": "memcurve.judge.verdict",
    "Lead": "memcurve.scenario",
    "MemcurveError": "memcurve.errors",
    "Plateaued": "memcurve.judge.verdict",
    "Scenario": "memcurve.scenario",
    "Target": "memcurve.scenario",
    "Thresholds": "memcurve.judge.thresholds",
    "Verdict": "memcurve.judge.verdict",
    "acheck": "memcurve.api",
    "check": "memcurve.api",
    "scenario": "memcurve.scenario",
    "watch": "memcurve.watch",
}

__all__ = [
    "Backend",
    "Flat",
    "Growing",
    "Inconclusive",
    "Lead",
    "MemcurveError",
    "Plateaued",
    "Scenario",
    "Target",
    "Thresholds",
    "Verdict",
    "__version__",
    "acheck",
    "check",
    "scenario",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memcurve' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Door(ModuleType):
    """Keep a public function in sight where a submodule has the same name.

    Importing `memcurve.check` would otherwise put the module in the function's place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door

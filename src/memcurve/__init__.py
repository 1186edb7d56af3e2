"""Runs a workload again and again, counts its live memory to the byte after every call, and says
whether it leaks, by how much, what survives and who holds it.

Names are loaded at their first use: importing memcurve alone loads nothing heavy.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memcurve.model.errors import MemcurveError
    from memcurve.model.scenario import Backend, Lead, Scenario, Target, scenario
    from memcurve.model.thresholds import Thresholds
    from memcurve.model.verdict import (
        Checked,
        Flat,
        Growing,
        Inconclusive,
        Plateaued,
        Rising,
        Verdict,
    )
    from memcurve.run.check import acheck, check
    from memcurve.run.watch import watch

__version__ = "0.1.0"

_HOMES = {
    "Backend": "memcurve.model.scenario",
    "Checked": "memcurve.model.verdict",
    "Flat": "memcurve.model.verdict",
    "Growing": "memcurve.model.verdict",
    "Inconclusive": "memcurve.model.verdict",
    "Lead": "memcurve.model.scenario",
    "MemcurveError": "memcurve.model.errors",
    "Plateaued": "memcurve.model.verdict",
    "Rising": "memcurve.model.verdict",
    "Scenario": "memcurve.model.scenario",
    "Target": "memcurve.model.scenario",
    "Thresholds": "memcurve.model.thresholds",
    "Verdict": "memcurve.model.verdict",
    "acheck": "memcurve.run.check",
    "check": "memcurve.run.check",
    "scenario": "memcurve.model.scenario",
    "watch": "memcurve.run.watch",
}

__all__ = [
    "Backend",
    "Checked",
    "Flat",
    "Growing",
    "Inconclusive",
    "Lead",
    "MemcurveError",
    "Plateaued",
    "Rising",
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

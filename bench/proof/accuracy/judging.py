"""Decide whether a check of one workload told the truth, and what was wrong with it.

A leak must exit 1 with `growing`; what is clean must exit 0 with `flat` or `plateaued`. Anything
else is a wrong verdict: so is `inconclusive`, because every label can be told in 10,000 calls.
What loses references and grows by no byte is clean; the object must be named, and no other ever.
Where the leak has a slope, its true range must meet [low, high] to within 0.5 %, and the reported
bytes may lie outside the range by 2 % and by `period / calls`, one step of a staircase over it.
The 0.5 % is what arithmetic cannot know: malloc hands out a block whole, up to 16 bytes larger than
asked for, where too little would be left of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.proof.accuracy.workload import Workload

RELATIVE_ERROR: Final = 0.02
ARITHMETIC_ERROR: Final = 0.005
MOST_CALLS: Final = 10_000
MOST_CALLS_WHERE_NOTHING_GROWS: Final = 1500
RESOURCE_NOISE_PER_CALL: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check printed, how it exited, and how long it took."""

    exit_code: int
    document: Mapping[str, Any] | None
    elapsed_s: float
    errors: str = ""

    @property
    def verdict(self) -> str:
        return str(self.document["verdict"]) if self.document else f"exit {self.exit_code}"

    @property
    def calls(self) -> int:
        return int(self.document["calls"]) if self.document else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One run of one workload with its faults; `right` is the verdict alone."""

    workload: Workload
    outcome: Outcome
    right: bool
    faults: tuple[str, ...]


def judge(workload: Workload, truth: Mapping[str, float], outcome: Outcome) -> Judgement:
    """Compare one outcome with the label and the independent count."""
    if outcome.document is None:
        said = outcome.errors.strip().splitlines()[-1:] or ["nothing on standard error"]
        faults = [f"no result, exit {outcome.exit_code}: {said[0]}"]
        return Judgement(workload=workload, outcome=outcome, right=False, faults=tuple(faults))
    wrong = _verdict_faults(workload, outcome)
    faults = [*wrong, *_call_faults(workload, outcome), *_reference_faults(workload, outcome)]
    if workload.leaks and not wrong:
        faults += _size_faults(workload, truth, outcome)
    return Judgement(workload=workload, outcome=outcome, right=not wrong, faults=tuple(faults))


def _verdict_faults(workload: Workload, outcome: Outcome) -> list[str]:
    expected = 1 if workload.leaks else 0
    faults = []
    if outcome.exit_code != expected:
        faults.append(f"exit {outcome.exit_code}, not {expected}")
    if workload.leaks and workload.counter == "retained" and outcome.verdict != "growing":
        faults.append(f"a leak of memory is called {outcome.verdict}")
    if not workload.leaks and outcome.verdict not in {"flat", "plateaued"}:
        faults.append(f"a clean workload is called {outcome.verdict}")
    return faults


def _call_faults(workload: Workload, outcome: Outcome) -> list[str]:
    still = not workload.leaks and not workload.still_after
    most = MOST_CALLS_WHERE_NOTHING_GROWS if still else MOST_CALLS
    return [f"{outcome.calls} calls, {most} allowed"] if outcome.calls > most else []


def _reference_faults(workload: Workload, outcome: Outcome) -> list[str]:
    """Return what is wrong with the references that are said to be lost; null: nobody counted."""
    assert outcome.document is not None
    told = outcome.document["lost_references"]
    if told is None:
        return ["references were not counted"] if workload.loses else []
    names = [one["name"] for one in told]
    expected = [workload.loses] if workload.loses else []
    return [f"lost references of {names}, truly of {expected}"] if names != expected else []


def _size_faults(workload: Workload, truth: Mapping[str, float], outcome: Outcome) -> Sequence[str]:
    assert outcome.document is not None
    if workload.counter != "retained":
        key = f"{workload.counter}_per_call"
        return _resource_faults(workload, truth[key], outcome.document["resources"][key], outcome)
    if not workload.quantified:
        return []
    retained = outcome.document["retained"]
    low, high = truth["low"], truth["high"]
    slack = RELATIVE_ERROR + workload.period / max(1, outcome.calls)
    reported = retained["bytes_per_call"]
    faults = []
    if not low * (1 - slack) <= reported <= high * (1 + slack):
        faults.append(f"{reported:,.1f} B a call, truly {low:,.1f} to {high:,.1f}")
    unsure = ARITHMETIC_ERROR * high
    if retained["high"] < low - unsure or retained["low"] > high + unsure:
        faults.append(f"truth outside [{retained['low']:,.1f}, {retained['high']:,.1f}]")
    return faults


def _resource_faults(
    workload: Workload, true: float, reported: float | None, outcome: Outcome
) -> list[str]:
    slack = true * (RELATIVE_ERROR + workload.period / max(1, outcome.calls))
    if reported is not None and abs(reported - true) <= slack + RESOURCE_NOISE_PER_CALL:
        return []
    return [f"{reported} {workload.counter} a call, truly {true:g}"]

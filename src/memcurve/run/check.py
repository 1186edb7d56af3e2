"""`memcurve.check`: the whole measurement of one callable as one function."""

import datetime
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from memcurve.explain.known import KnownLeak, acknowledged, load_known, mark_known
from memcurve.judge.judgement import judge
from memcurve.judge.ledger import ledger_of
from memcurve.model.errors import MeasureError, TargetError
from memcurve.model.findings import Explanation
from memcurve.model.recording import Failure, Recording
from memcurve.model.scenario import Target
from memcurve.model.thresholds import Thresholds
from memcurve.model.units import parse_bytes
from memcurve.model.verdict import Details, Growing, Judgement, Verdict
from memcurve.run.explain import Explainer, explain_function, explain_target
from memcurve.run.in_process import InProcessCheck
from memcurve.run.passes import Options, Progress, measure_function, measure_target


class CheckFailedError(MeasureError):
    """The target could not be measured; `failure` says where and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.line)
        self.failure = failure


def check(
    target: str | Callable[..., Any],
    *,
    setup: str | Callable[..., Any] | None = None,
    teardown: str | Callable[..., Any] | None = None,
    inputs: str | Path | None = None,
    calls: int = 100,
    budget: float | None = None,
    timeout: float = 30.0,
    grace: float = 1.0,
    max_bytes: str | int | None = None,
    python: str | None = None,
    isolation: str | None = None,
    explain: bool | None = None,
    known_leaks: str | Path | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Run a callable again and again and say whether anything grows with its calls.

    `target` is a callable or its text (``pkg.mod:attr`` or ``path/file.py:attr``), synchronous or
    not; it may take the call's number or, with `inputs` (JSON Lines), the next line. A named
    target runs in an interpreter of its own, `python` if given; a callable without a name runs in
    a fork of this process. `isolation` "fork" asks for the fork, "none" for this very process.

    What grows is explained (who holds it, where it is made), unless `explain` is false; true asks
    for that in any case. `known_leaks` is a file of acknowledged ones, `known-leaks.toml` if there
    is one. What is measured in this very process is not explained: looking would be counted.

    Returns the worst verdict of memory, descriptors, threads and tasks; everything else is in its
    `details`. Costs the calls (at least 250, at most 2,000 within `budget` seconds, default 10 or
    what 300 calls take) plus about 0.3 s. Raises TargetError for what cannot be called and
    CheckFailedError for a target that raises, hangs or dies.
    """
    began = time.monotonic()
    thresholds = _thresholds(max_bytes)
    options = Options(
        calls=calls,
        budget_s=budget,
        call_timeout_s=timeout,
        grace_s=grace,
        python=python or sys.executable,
        thresholds=thresholds,
    )
    if isolation == "none":
        if not callable(target) or setup or teardown or inputs or python:
            raise TargetError("isolation 'none' takes a callable and nothing around it")
        here = InProcessCheck(target, options)
        return _conclude_here(here, here.measure(), thresholds, began)
    names = {
        role: _name(given, isolation)
        for role, given in {"call": target, "setup": setup, "teardown": teardown}.items()
    }
    if all(
        name is not None or given is None
        for name, given in zip(names.values(), (target, setup, teardown), strict=True)
    ):
        paths = tuple(sys.path[1:]) if python is None else ()
        named = Target(
            call=str(names["call"]),
            setup=names["setup"],
            teardown=names["teardown"],
            inputs=str(inputs) if inputs is not None else None,
            paths=paths,
        )
        recording = measure_target(named, options, progress=progress)

        def explainer(recording: Recording, judgement: Judgement) -> Explanation:
            return explain_target(named, options, recording, judgement, progress=progress)
    else:
        functions: Any = {"target": target, "setup": setup, "teardown": teardown}
        recording = measure_function(functions, options, inputs=inputs, progress=progress)

        def explainer(recording: Recording, judgement: Judgement) -> Explanation:
            return explain_function(
                functions, options, recording, judgement, inputs=inputs, progress=progress
            )

    verdict = conclude(recording, thresholds, time.monotonic() - began)
    return with_explanation(verdict, explainer, explain=explain, known=load_known(known_leaks))


def with_explanation(
    verdict: Verdict,
    explainer: Explainer,
    *,
    explain: bool | None = None,
    known: tuple[KnownLeak, ...] = (),
) -> Verdict:
    """Return the verdict, unchanged, with the causes in its details.

    They are looked for if something grows, always with `explain` true, never with it false.
    """
    details = verdict.details
    assert details is not None
    if not (isinstance(verdict, Growing) if explain is None else explain):
        return verdict
    return with_known(verdict, explainer(details.recording, details.judgement), known)


def with_known(verdict: Verdict, explanation: Explanation, known: tuple[KnownLeak, ...]) -> Verdict:
    """Return the verdict with an explanation in its details, and whether known leaks cover it."""
    details = verdict.details
    assert details is not None
    today = datetime.datetime.now(datetime.UTC).date()
    culprits = mark_known(explanation.culprits, known, today)
    details = msgspec.structs.replace(
        details,
        culprits=culprits,
        explanation=msgspec.structs.replace(explanation, culprits=culprits),
        acknowledged=acknowledged(culprits, known, today),
        elapsed_s=details.elapsed_s + explanation.elapsed_s,
    )
    return msgspec.structs.replace(verdict, details=details)


async def acheck(
    target: Callable[..., Any],
    *,
    calls: int = 100,
    budget: float | None = None,
    grace: float = 1.0,
    max_bytes: str | int | None = None,
) -> Verdict:
    """Do what `check` does, in the running event loop and in this very process.

    For what is tied to the loop or to connections of this process. What else runs here is in the
    figures, no call has a time limit, and the collector is off between calls while this runs.
    Raises CheckFailedError from what the target raised.
    """
    began = time.monotonic()
    thresholds = _thresholds(max_bytes)
    options = Options(calls=calls, budget_s=budget, grace_s=grace, thresholds=thresholds)
    here = InProcessCheck(target, options)
    return _conclude_here(here, await here.ameasure(), thresholds, began)


def _thresholds(max_bytes: str | int | None) -> Thresholds:
    if max_bytes is None:
        return Thresholds()
    return Thresholds(max_bytes=int(parse_bytes(max_bytes)))


def _conclude_here(
    here: InProcessCheck, recording: Recording, thresholds: Thresholds, began: float
) -> Verdict:
    try:
        return conclude(recording, thresholds, time.monotonic() - began)
    except CheckFailedError as error:
        raise error from here.error


def conclude(recording: Recording, thresholds: Thresholds, elapsed_s: float) -> Verdict:
    """Judge a recording; raises the failure in it unless it shows growth all the same."""
    failure = recording.failure
    settled = recording.of("settled")
    if failure is not None and failure.kind == "target":
        raise TargetError(failure.message)
    if settled is None or (failure is not None and settled.calls < thresholds.enough):
        assert failure is not None
        raise CheckFailedError(failure)
    judgement = judge(recording, thresholds)
    verdict = judgement.overall
    if failure is not None and type(verdict).__name__ != "Growing":
        raise CheckFailedError(failure)
    details = Details(
        judgement=judgement,
        recording=recording,
        ledger=ledger_of(recording),
        elapsed_s=elapsed_s,
    )
    return msgspec.structs.replace(verdict, details=details)


def _name(given: str | Callable[..., Any] | None, isolation: str | None) -> str | None:
    """Return the text by which another process can import what is given, None if there is none."""
    if given is None or isinstance(given, str):
        return given
    module, name = getattr(given, "__module__", None), getattr(given, "__qualname__", "")
    if isolation == "fork" or module in (None, "__main__") or "<" in name:
        return None
    found: Any = sys.modules.get(str(module))
    if getattr(found, "__spec__", None) is None:
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is given else None

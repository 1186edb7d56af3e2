"""Measure one callable of one test, judge it, compare it with its limits and its baseline."""

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from memcurve.compare.against_baseline import accept, compare
from memcurve.explain.known import known_in
from memcurve.measure.traffic import atraffic_of, traffic_in_fork, traffic_of
from memcurve.measure.worker.target import required
from memcurve.model.baseline import Baseline
from memcurve.model.debt import Heavy
from memcurve.model.outcome import Crossing, Outcome
from memcurve.model.recording import timestamp
from memcurve.model.scenario import scenario
from memcurve.model.traffic import Traffic
from memcurve.model.verdict import Checked, Rise
from memcurve.plugin.detach import records_detached
from memcurve.plugin.isolation import OpenResources, read_open
from memcurve.plugin.limits import Gated, gate, without_known
from memcurve.plugin.settings import Settings
from memcurve.run.check import checked
from memcurve.run.conclude import with_explanation
from memcurve.run.explain import explained
from memcurve.run.fork import ForkOfThis, subject_here
from memcurve.run.in_process import ThisProcess
from memcurve.run.passes import Passes
from memcurve.store.files import load_baseline, save_baseline

ACCEPTED_RUNS = 3
LOOP_SOCKETS = 2  # what an event loop opens for itself
DESIGN = "test"
LONGEST_NAME = 100


class MeasuredTest:
    """One callable of one test; `before` is what was open when the session began."""

    def __init__(
        self,
        item: pytest.Item,
        function: Callable[..., object],
        settings: Settings,
        before: OpenResources,
        label: str = "",
    ) -> None:
        self._item, self._function, self._settings, self._open = item, function, settings, before
        self.name = scenario_name(item.nodeid + (f"-{label}" if label else ""))
        self._subject = msgspec.structs.replace(
            subject_here(function), scenario=self.name, design=DESIGN
        )

    def run(self) -> Gated:
        """Measure a synchronous callable, in a fork of this process where that can be."""
        with records_detached(self._item):
            if self._runs_here():
                results = ThisProcess(self._function).drive(self._passes())
            else:
                results = self._fork().drive(self._passes())
            traffic = self._traffic()
        return self._concluded(results, traffic)

    async def arun(self) -> Gated:
        """Measure in the running event loop."""
        with records_detached(self._item):
            results = await ThisProcess(self._function).adrive(self._passes())
            traffic = await atraffic_of(self._one_call()) if self._wants_traffic() else None
        return self._concluded(results, traffic)

    def _one_call(self) -> Callable[[], Any]:
        """Return the call with its number, if it takes one: the same at each call."""
        function = self._function
        return functools.partial(function, 0) if required(function) else function

    def _wants_traffic(self) -> bool:
        limits = self._settings.limits
        return limits.allocated is not None or limits.peak is not None

    def _traffic(self) -> Traffic | None:
        if not self._wants_traffic():
            return None
        if self._runs_here():
            return traffic_of(self._one_call())
        return traffic_in_fork(self._one_call(), self._settings.options.call_timeout_s)

    def _fork(self) -> ForkOfThis:
        functions = {"target": self._function, "setup": None, "teardown": None}
        return ForkOfThis(functions, self._settings.options)

    def _runs_here(self) -> bool:
        chosen = self._settings.isolation
        return chosen == "none" or (chosen == "auto" and read_open().beyond(self._open))

    def _passes(self) -> Passes[list[Checked]]:
        """Ask for everything that decides, several times where a band is to be made of it."""
        results, settings = [], self._settings
        looks = settings.effort.looks and not self._runs_here()
        effort = msgspec.structs.replace(settings.effort, looks=looks)
        for _ in range(ACCEPTED_RUNS if self._reason() is not None else 1):
            result = yield from checked(self._subject, settings.options, effort)
            results.append(result)
        return results

    def _reason(self) -> str | None:
        config = self._item.config
        if not config.getoption("memcurve_accept"):
            return None
        reason: str | None = config.getoption("memcurve_reason")
        return reason or "accepted by pytest --memcurve-accept, without a reason"

    def _concluded(self, results: list[Checked], traffic: Traffic | None) -> Gated:
        gated = gate(self._explained(results[-1]), self._settings.limits, traffic)
        outcomes = [_outcome(result) for result in (*results[:-1], gated.checked)]
        reason = self._reason()
        if reason is not None:
            self._accept(outcomes, reason)
            return gated
        regressed = self._regressed(outcomes[-1])
        return without_known(msgspec.structs.replace(gated, regressed=regressed))

    def _explained(self, result: Checked) -> Checked:
        """Look for the causes of growth, or of much garbage.

        In forks: nothing that explains may touch this process.
        """
        found = result.judgement
        suspect = any(isinstance(one, Rise) for one in found.verdicts.values())
        suspect = suspect or isinstance(found.debt, Heavy) or self._leaves_too_much(result)
        if not suspect or not self._settings.explain or self._cannot_be_copied(result):
            return result
        passes = explained(self._subject, self._settings.options, result.recording, found)
        with records_detached(self._item):
            explanation = self._fork().drive(passes)
        return with_explanation(result, explanation, known_in(self._item.config.rootpath))

    def _leaves_too_much(self, result: Checked) -> bool:
        limit = self._settings.limits.deferred
        return limit is not None and result.judgement.deferred.bytes_per_call > limit

    def _cannot_be_copied(self, result: Checked) -> bool:
        """Whether this process holds sockets that a fork of it would share."""
        passed = result.recording.of("settled")
        here = passed is not None and passed.isolation == "none"
        return here and read_open().sockets - self._open.sockets > LOOP_SOCKETS

    def _accept(self, outcomes: list[Outcome], reason: str) -> None:
        environment = outcomes[-1].recording.environment
        assert environment is not None
        baseline = Baseline(
            scenario=self.name,
            environment=environment,
            reason=reason,
            accepted_at=timestamp(),
            repeats=len(outcomes),
            designs={DESIGN: accept(outcomes)},
        )
        save_baseline(self._settings.baselines, baseline)

    def _regressed(self, outcome: Outcome) -> tuple[Crossing, ...]:
        """Return where the curves left their accepted band, nothing where none was accepted."""
        environment = outcome.recording.environment
        assert environment is not None
        baseline = load_baseline(self._settings.baselines, environment.key, self.name)
        if baseline is None:
            return ()
        declared = scenario(self.name, {DESIGN: outcome.recording.target})
        (compared,) = compare(declared, [outcome], baseline)
        assert compared.comparison is not None
        return tuple(c for c in compared.comparison.crossings if c.kind == "band")


def _outcome(result: Checked) -> Outcome:
    return Outcome(
        recording=result.recording,
        judgement=result.judgement,
        culprits=result.culprits,
        explanation=result.explanation,
    )


def scenario_name(nodeid: str) -> str:
    """Return a name for files and pages: the test's own, without what a path cannot hold."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", nodeid.replace(".py::", "_")).strip("_")
    if "[" not in nodeid and len(plain) <= LONGEST_NAME:
        return plain
    mark = hashlib.sha256(nodeid.encode()).hexdigest()[:8]  # parameters differ in any character
    return f"{plain[:LONGEST_NAME]}-{mark}"

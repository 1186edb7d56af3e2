"""Measure one callable of one test, judge it, hold it against its limits and its baseline."""

import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from memcurve.compare.against_baseline import accept, compare
from memcurve.explain.known import known_in
from memcurve.model.baseline import Baseline
from memcurve.model.outcome import Crossing, Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import scenario
from memcurve.model.verdict import Growing, Verdict
from memcurve.plugin.detach import records_detached
from memcurve.plugin.isolation import Held, read_held
from memcurve.plugin.limits import Gated, gate, without_known
from memcurve.plugin.settings import Settings
from memcurve.run.check import CheckFailedError, conclude, with_known
from memcurve.run.explain import explain_function
from memcurve.run.in_process import InProcessCheck
from memcurve.run.passes import measure_function
from memcurve.store.files import load_baseline, save_baseline

ACCEPTED_RUNS = 3
LOOP_SOCKETS = 2  # what an event loop opens for itself
DESIGN = "test"
LONGEST_NAME = 100


class Measurement:
    """One callable of one test; `held` is what the process held when the session began."""

    def __init__(
        self,
        item: pytest.Item,
        function: Callable[..., object],
        settings: Settings,
        held: Held,
        label: str = "",
    ) -> None:
        self._item, self._function, self._settings, self._held = item, function, settings, held
        self.name = scenario_name(item.nodeid + (f"-{label}" if label else ""))

    def run(self) -> Gated:
        """Measure a synchronous callable, in a fork of this process where that can be."""
        if self._in_process():
            here = InProcessCheck(self._function, self._settings.options)
            return self._concluded(self._recorded(here.measure), here)
        functions = {"target": self._function, "setup": None, "teardown": None}
        return self._concluded(
            self._recorded(lambda: measure_function(functions, self._settings.options))
        )

    async def arun(self) -> Gated:
        """Measure in the running event loop."""
        here = InProcessCheck(self._function, self._settings.options)
        recordings = []
        began = time.monotonic()
        with records_detached(self._item):
            for _ in range(self._repeats()):
                recordings.append(await here.ameasure())  # noqa: PERF401 - awaited one by one
        return self._concluded((recordings, time.monotonic() - began), here)

    def _in_process(self) -> bool:
        chosen = self._settings.isolation
        return chosen == "none" or (chosen == "auto" and read_held().beyond(self._held))

    def _repeats(self) -> int:
        return ACCEPTED_RUNS if self._reason() is not None else 1

    def _reason(self) -> str | None:
        config = self._item.config
        if not config.getoption("memcurve_accept"):
            return None
        reason: str | None = config.getoption("memcurve_reason")
        return reason or "accepted by pytest --memcurve-accept, without a reason"

    def _recorded(self, measure: Callable[[], Recording]) -> tuple[list[Recording], float]:
        began = time.monotonic()
        with records_detached(self._item):
            recordings = [measure() for _ in range(self._repeats())]
        return recordings, time.monotonic() - began

    def _concluded(
        self, measured: tuple[list[Recording], float], here: InProcessCheck | None = None
    ) -> Gated:
        recordings, elapsed_s = measured
        named = [msgspec.structs.replace(r, scenario=self.name, design=DESIGN) for r in recordings]
        try:
            verdicts = [conclude(r, self._settings.options.thresholds, elapsed_s) for r in named]
        except CheckFailedError as error:
            if here is not None and here.error is not None:
                raise error from here.error
            raise
        gated = gate(self._explained(verdicts[-1], here), self._settings.limits)
        outcomes = [_outcome(verdict) for verdict in (*verdicts[:-1], gated.verdict)]
        reason = self._reason()
        if reason is not None:
            self._accept(outcomes, reason)
            return gated
        regressed = self._regressed(outcomes[-1])
        return without_known(msgspec.structs.replace(gated, regressed=regressed))

    def _explained(self, verdict: Verdict, here: InProcessCheck | None) -> Verdict:
        """Look for the causes of growth, in forks: nothing that explains may touch this process."""
        details = verdict.details
        assert details is not None
        growing = any(isinstance(found, Growing) for found in details.judgement.verdicts.values())
        sockets = read_held().sockets - self._held.sockets
        wanted = growing and self._settings.explain
        if not wanted or (here is not None and sockets > LOOP_SOCKETS):
            return verdict
        functions = {"target": self._function, "setup": None, "teardown": None}
        with records_detached(self._item):
            found = explain_function(
                functions, self._settings.options, details.recording, details.judgement
            )
        return with_known(verdict, found, known_in(self._item.config.rootpath))

    def _accept(self, outcomes: list[Outcome], reason: str) -> None:
        environment = outcomes[-1].recording.environment
        assert environment is not None
        baseline = Baseline(
            scenario=self.name,
            environment=environment,
            reason=reason,
            accepted_at=datetime.now(UTC).isoformat(timespec="seconds"),
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
        (held,) = compare(declared, [outcome], baseline)
        assert held.comparison is not None
        crossings = (c for c in held.comparison.crossings if c.kind == "band")
        return tuple(msgspec.structs.replace(c, message=_told(c)) for c in crossings)


def _told(crossing: Crossing) -> str:
    """Return what was crossed without the command of scenarios: a test is accepted otherwise."""
    return crossing.message.partition("; if this is meant:")[0]


def _outcome(verdict: Verdict) -> Outcome:
    details: Any = verdict.details
    return Outcome(
        recording=details.recording,
        judgement=details.judgement,
        culprits=details.culprits,
        explanation=details.explanation,
    )


def scenario_name(nodeid: str) -> str:
    """Return a name for files and pages: the test's own, without what a path cannot hold."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", nodeid.replace(".py::", "_")).strip("_")
    if "[" not in nodeid and len(plain) <= LONGEST_NAME:
        return plain
    mark = hashlib.sha256(nodeid.encode()).hexdigest()[:8]  # parameters differ in any character
    return f"{plain[:LONGEST_NAME]}-{mark}"

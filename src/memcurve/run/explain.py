"""Explain one callable: run the passes that explain, and join what they found.

This is where measuring and explaining are wired together; neither knows the other. Nothing here
changes a verdict: what fails to be explained is a note.
"""

import tempfile
import time
from pathlib import Path

import msgspec

from memcurve.explain.culprits import LEAST_SHARE, add_lines, join
from memcurve.explain.figures import Growth
from memcurve.explain.other_culprits import UNEXPLAINED
from memcurve.explain.places import shortened
from memcurve.measure.explaining_passes import (
    Wanted,
    allocations_request,
    lines_request,
    survivors_request,
    windows_for,
)
from memcurve.measure.runner import NextStep, PassPlan
from memcurve.model.effort import WAITING
from memcurve.model.findings import Explanation
from memcurve.model.recording import Recording
from memcurve.model.verdict import Growing, Judgement
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Request, Subject, plan_of

EXPLAINED_ROWS = 2100
"""Rows of an explaining pass: at most a warm-up, three windows of calls and a row for each."""


class ExplainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What explaining may do.

    What does not grow is explained briefly, by its cycles and survivors, unless `thorough`.
    `native` frames cost time; a flame graph is written, and memray's file kept, where told. Who
    refers to what survives is drawn for so many culprits as `drawings` says.
    """

    thorough: bool = False
    native: bool = False
    tracer: str = "any"
    flame_graph: str | Path | None = None
    keep: str | Path | None = None
    drawings: int = 0


def explained(
    subject: Subject,
    options: Options,
    recording: Recording,
    judgement: Judgement,
    chosen: ExplainOptions | None = None,
) -> Passes[Explanation]:
    """Run the passes that explain, and join what they found.

    Costs some 5 seconds of CPU where calls are expensive, less than a plain run where they are
    cheap. Nothing that the target does raises here; what could not be found out is in the notes.
    """
    began = time.monotonic()
    chosen = chosen or ExplainOptions()
    growth = growth_of(recording, judgement)
    grows = isinstance(judgement.overall, Growing)
    thorough = grows or chosen.thorough
    windows = windows_for(_call_s(recording), brief=not thorough)
    plan = plan_of(
        subject.target, options, kind="survivors", mode="settled", capacity=EXPLAINED_ROWS
    )
    wanted = Wanted(
        native_per_call=growth.native_per_call,
        # of what Python allocates: an object that weighs in malloc is small by itself
        least_per_call=LEAST_SHARE * max(growth.python_per_call, 1.0),
        grows=grows,
        drawings=chosen.drawings,
    )
    survivors = yield _request("survivors", survivors_request(plan, windows, wanted))
    traced = None
    if thorough:
        # a folder of its own, so that what a killed process leaves goes too
        with tempfile.TemporaryDirectory(prefix="memcurve-") as folder:
            start = {"tracer": chosen.tracer, "native": chosen.native, "folder": folder}
            stages = {"start": start, "stop": {}}
            short = yield _request(
                "allocations", allocations_request(plan, windows, windows.short, stages)
            )
            stages = {"start": start, "stop": _stop_options(chosen)}
            long = yield _request(
                "allocations", allocations_request(plan, windows, windows.long, stages)
            )
            traced = short.record, long.record
    explanation = join(growth, survivors.record, traced, str(chosen.flame_graph or ""))
    if growth.unexplained(explanation.culprits) > UNEXPLAINED:
        of_malloc = growth.is_left_in_malloc(explanation.culprits)
        counted = yield _request("lines", lines_request(plan, windows, of_malloc=of_malloc))
        explanation = add_lines(growth, explanation, counted.record)
    explanation = shortened(explanation, str(Path.cwd()))
    return msgspec.structs.replace(explanation, elapsed_s=time.monotonic() - began)


def _request(label: str, asked: tuple[PassPlan, NextStep]) -> Request:
    plan, decide = asked
    return Request(plan=plan, decide=decide, label=label)


def _stop_options(chosen: ExplainOptions) -> dict[str, object]:
    wanted = {"flame_graph": chosen.flame_graph, "keep": chosen.keep}
    return {name: str(Path(path).resolve()) for name, path in wanted.items() if path}


def growth_of(recording: Recording, judgement: Judgement) -> Growth:
    """Return the figures of a judgement that shares are taken of."""
    return Growth(
        scenario=recording.scenario,
        bytes_per_call=judgement.retained.evidence.per_call,
        python_per_call=judgement.python_per_call,
        native_per_call=judgement.native_per_call,
        deferred_objects=judgement.deferred.objects_per_call,
        fds_per_call=_rate(judgement, "fds"),
        threads_per_call=_rate(judgement, "threads"),
        tasks_per_call=_rate(judgement, "tasks"),
        proved=isinstance(judgement.retained, Growing),
    )


def _rate(judgement: Judgement, name: str) -> float:
    verdict = judgement.verdicts.get(name)
    return verdict.evidence.per_call if verdict is not None else 0.0


def _call_s(recording: Recording) -> float:
    settled = recording.of("settled")
    if settled is None or not settled.calls:
        return 0.0
    # of CPU: a busy machine stretches the clock; what mostly waits is bounded by the clock
    return max(settled.cpu_s, settled.wall_s / WAITING) / settled.calls

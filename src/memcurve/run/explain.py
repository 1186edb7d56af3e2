"""Explain one callable: run the passes that explain, and join what they found.

This is where measuring and explaining are wired together; neither knows the other. Nothing here
changes a verdict: what fails to be explained is a note.
"""

import math
import tempfile
import time
from pathlib import Path

import msgspec

from memcurve.explain.culprits import add_lines, join
from memcurve.explain.other_culprits import UNEXPLAINED
from memcurve.explain.places import shortened
from memcurve.measure.explaining_passes import (
    LINES_CPU_S,
    SURVIVING_WINDOWS,
    Windows,
    allocations_request,
    lines_request,
    survivors_request,
    windows_for,
)
from memcurve.measure.runner import NextStep, PassPlan
from memcurve.measure.scratch import scratch
from memcurve.model.findings import Explanation
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.verdict import Judgement, Rise
from memcurve.run.look import growth_of, wanted_of
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Request, Subject, plan_of
from memcurve.run.references import lost_references

WAITING = 8
"""A call that waits counts as this much cheaper than one that works: it leaves the processor."""
SURVIVORS_SHARE = 0.5
"""Of the time left, for the calls of a survivors pass: the rest settles and walks the heap."""
STARTED_S, TRACED = 0.6, 4
"""Seconds that both tracers take to start and to be read, and how much longer a traced call takes.
Measured: memray starts in 0.2 s, and calls of langchain take three times as long under it."""
EXPLAINED_ROWS = 2100
"""Rows of an explaining pass: at most a warm-up, three windows of calls and a row for each."""


class ExplainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What explaining may do.

    What does not grow is explained briefly, by its cycles and survivors, unless `thorough`.
    `native` frames cost time; a flame graph is written, and memray's file kept, where told. Who
    refers to what survives is drawn for so many culprits as `drawings` says. With `references`
    it is counted which long-lived object loses one at each call. It ends within `seconds` of the
    clock and one call: what does not fit is left out, and noted.
    """

    thorough: bool = False
    native: bool = False
    tracer: str = "any"
    flame_graph: str | Path | None = None
    keep: str | Path | None = None
    drawings: int = 0
    references: bool = False
    seconds: float = math.inf


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
    looked = recording.of("survivors")
    if looked is not None:  # slow calls: the pass that counted them told what rises
        explanation = shortened(join(growth, looked), str(Path.cwd()))
        return msgspec.structs.replace(explanation, elapsed_s=time.monotonic() - began)
    grows = isinstance(judgement.overall, Rise)
    thorough = (grows and not growth.is_elsewhere) or chosen.thorough
    clock_s = max(_clock_s(recording), 1e-6)
    fitting = chosen.seconds * SURVIVORS_SHARE / SURVIVING_WINDOWS / clock_s
    windows = windows_for(_call_s(recording), brief=not thorough, fitting=fitting)
    plan = plan_of(
        subject.target, options, kind="survivors", mode="settled", capacity=EXPLAINED_ROWS
    )
    wanted = wanted_of(growth, grows=grows, drawings=chosen.drawings)
    survivors = yield _request("survivors", survivors_request(plan, windows, wanted))
    notes = list[str]()

    def left_s() -> float:
        return chosen.seconds - (time.monotonic() - began)

    traced = None
    if thorough and left_s() >= STARTED_S + windows.tracing * clock_s * TRACED:
        traced = yield from _traced(plan, windows, chosen)
    elif thorough:
        notes.append("allocations were not traced: that takes a longer budget")
    explanation = join(growth, survivors.record, traced, str(chosen.flame_graph or ""))
    if growth.unexplained(explanation.culprits) > UNEXPLAINED:
        seconds = min(LINES_CPU_S, left_s() - STARTED_S)
        if seconds > 0:
            of_malloc = growth.is_left_in_malloc(explanation.culprits)
            request = lines_request(plan, windows, of_malloc=of_malloc, seconds=seconds)
            counted = yield _request("lines", request)
            explanation = add_lines(growth, explanation, counted.record)
        else:
            notes.append("live bytes were not counted line by line: that takes a longer budget")
    lost = None
    if chosen.references:
        lost = yield from lost_references(recording, subject, options, left_s())
        if lost is None:
            notes.append("references were not counted: that takes a longer budget or faster calls")
    explanation = shortened(explanation, str(Path.cwd()))
    return msgspec.structs.replace(
        explanation,
        notes=(*explanation.notes, *notes),
        lost_references=lost,
        elapsed_s=time.monotonic() - began,
    )


def _traced(
    plan: PassPlan, windows: Windows, chosen: ExplainOptions
) -> Passes[tuple[PassRecord, PassRecord]]:
    """Trace a short and a long stretch of calls."""
    # a folder of its own, so that what a killed process leaves goes too
    with tempfile.TemporaryDirectory(prefix="traced-", dir=scratch()) as folder:
        start = {"tracer": chosen.tracer, "native": chosen.native, "folder": folder}
        stages = {"start": start, "stop": {}}
        short = yield _request(
            "allocations", allocations_request(plan, windows, windows.short, stages)
        )
        stages = {"start": start, "stop": _stop_options(chosen)}
        long = yield _request(
            "allocations", allocations_request(plan, windows, windows.long, stages)
        )
    return short.record, long.record


def _request(label: str, asked: tuple[PassPlan, NextStep]) -> Request:
    plan, decide = asked
    return Request(plan=plan, decide=decide, label=label)


def _stop_options(chosen: ExplainOptions) -> dict[str, object]:
    wanted = {"flame_graph": chosen.flame_graph, "keep": chosen.keep}
    return {name: str(Path(path).resolve()) for name, path in wanted.items() if path}


def _call_s(recording: Recording) -> float:
    settled = recording.of("settled")
    if settled is None or not settled.calls:
        return 0.0
    # of CPU: a busy machine stretches the clock; what mostly waits is bounded by the clock
    return max(settled.cpu_s, settled.wall_s / WAITING) / settled.calls


def _clock_s(recording: Recording) -> float:
    settled = recording.of("settled")
    return settled.wall_s / settled.calls if settled is not None and settled.calls else 0.0

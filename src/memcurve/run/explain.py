"""Explain one callable: run the passes that explain, and join what they found.

This is where measuring and explaining are wired together; neither knows the other. Nothing here
changes a verdict: what fails to be explained is a note.
"""

import tempfile
import time
from collections.abc import Callable
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
from memcurve.measure.runner import open_session
from memcurve.model.findings import Explanation
from memcurve.model.recording import Recording
from memcurve.model.scenario import Target
from memcurve.model.verdict import Growing, Judgement
from memcurve.run.passes import (
    WAITING,
    Functions,
    Options,
    Progress,
    RunPass,
    labelled,
    plan_of,
    run_in_fork,
    target_of,
)


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


def explain_target(
    target: Target,
    options: Options,
    recording: Recording,
    judgement: Judgement,
    *,
    explain: ExplainOptions | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain a target by its name, in an interpreter of its own.

    Costs some 5 seconds of CPU where calls are dear, less than a plain run where they are cheap.
    Never raises for what the target does; what could not be found out is in the notes.
    """
    session, failure = open_session(
        target,
        python=options.python,
        environment={"PYTHONHASHSEED": "0", **options.environment},
        packages=(),
        timeout_s=max(options.call_timeout_s, 60.0),
    )
    with session.worker:
        if failure is not None:
            return Explanation(notes=(f"could not explain: {failure.message}",))
        run = _same_session(session.run)
        return explain_with(run, target, options, recording, judgement, explain, progress)


def explain_function(
    functions: Functions,
    options: Options,
    recording: Recording,
    judgement: Judgement,
    *,
    inputs: str | Path | None = None,
    explain: ExplainOptions | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain callables of this process, each pass in a fork of it."""
    target = target_of(functions, inputs)
    run = run_in_fork(functions, options)
    return explain_with(run, target, options, recording, judgement, explain, progress)


def _same_session(run: RunPass) -> RunPass:
    return run


def explain_with(
    run: RunPass,
    target: Target,
    options: Options,
    recording: Recording,
    judgement: Judgement,
    explain: ExplainOptions | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain through `run`, which runs one pass in a process that ends with it."""
    began = time.monotonic()
    chosen = explain or ExplainOptions()
    growth = growth_of(recording, judgement)
    grows = isinstance(judgement.overall, Growing)
    thorough = grows or chosen.thorough
    windows = windows_for(_call_s(recording), brief=not thorough)
    plan = plan_of(target, options, kind="survivors", mode="settled")
    wanted = Wanted(
        native_per_call=growth.native_per_call,
        # of what Python allocates: an object that weighs in malloc is small by itself
        least_per_call=LEAST_SHARE * max(growth.python_per_call, 1.0),
        grows=grows,
        drawings=chosen.drawings,
    )
    survivors = run(*survivors_request(plan, windows, wanted), labelled(progress, "survivors"))
    report = labelled(progress, "allocations")
    traced = None
    if thorough:
        # of its own, so that what a killed process leaves behind goes too
        with tempfile.TemporaryDirectory(prefix="memcurve-") as folder:
            start = {"tracer": chosen.tracer, "native": chosen.native, "folder": folder}
            short, long = (
                run(
                    *allocations_request(plan, windows, calls, {"start": start, "stop": stop}),
                    report,
                )
                for calls, stop in ((windows.short, {}), (windows.long, _stop_options(chosen)))
            )
            traced = short, long
    explanation = join(growth, survivors, traced, str(chosen.flame_graph or ""))
    if growth.unexplained(explanation.culprits) > UNEXPLAINED:
        of_malloc = growth.is_left_in_malloc(explanation.culprits)
        request = lines_request(plan, windows, of_malloc=of_malloc)
        counted = run(*request, labelled(progress, "lines"))
        explanation = add_lines(growth, explanation, counted)
    explanation = shortened(explanation, str(Path.cwd()))
    return msgspec.structs.replace(explanation, elapsed_s=time.monotonic() - began)


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


Explainer = Callable[[Recording, Judgement], Explanation]

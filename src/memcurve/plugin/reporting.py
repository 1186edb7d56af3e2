"""Carry outcomes out of the test: as properties (JUnit, xdist), as a summary, as a report."""

import math
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memcurve.model.errors import OutputError
from memcurve.model.outcome import Comparison, Outcome, PassedLimit, Run
from memcurve.model.recording import Recording
from memcurve.plugin.limits import Gated
from memcurve.plugin.message import COUNTER_OF, summary_line
from memcurve.store.files import load_recording, ready, recording_path
from memcurve.store.findings import load_outcome, save_outcomes

PREFIX = "memcurve_"
COMPLAINT = pytest.StashKey[str]()
_MARKS = {"over limit": "!", "inconclusive": "?"}


def keep_outcome(item: pytest.Item, gated: Gated) -> None:
    """Put the outcome into the test's properties and, if asked for, its curves into the report.

    Properties travel with the test's report: into JUnit XML, and from xdist's workers.
    """
    found = gated.checked
    recording, judgement = found.recording, found.judgement
    values = {
        "recording": recording.scenario,
        "outcome": gated.outcome,
        "calls": judgement.calls,
        "bytes_per_call": _rounded(judgement.retained.evidence.per_call),
        "deferred_bytes_per_call": _rounded(judgement.deferred.bytes_per_call),
        "summary": summary_line(gated),
    }
    item.user_properties.extend((PREFIX + name, value) for name, value in values.items())
    out = report_folder(item.config)
    if out is not None:
        outcome = Outcome(
            recording=recording,
            judgement=judgement,
            comparison=_comparison(item.nodeid, gated, recording),
            explanation=found.explanation,
        )
        try:
            save_outcomes(out, [outcome], item.nodeid)
        except OSError as error:  # of the test nothing is wrong
            item.config.stash[COMPLAINT] = f"{error.filename or out}: {error.strerror}"


def _comparison(nodeid: str, gated: Gated, recording: Recording) -> Comparison:
    """Return the crossed limits of a test as reports show thresholds that were crossed."""
    limits = tuple(
        PassedLimit(
            scenario=recording.scenario,
            design=recording.design,
            counter=COUNTER_OF.get(excess.name, excess.name),
            call=gated.checked.verdict.evidence.to_call,
            value=excess.value,
            limit=excess.limit,
            test=nodeid,
            verdict=excess.verdict,
        )
        for excess in gated.crossed
    )
    regressed = (msgspec.structs.replace(one, test=nodeid) for one in gated.regressed)
    return Comparison(
        scenario=recording.scenario,
        design=recording.design,
        baseline=None,
        crossings=(*limits, *regressed),
    )


def _rounded(value: float) -> float:
    return round(value, 2) if math.isfinite(value) else 0.0


def report_folder(config: pytest.Config) -> Path | None:
    """Return where the report goes, None if none was asked for."""
    name = config.getoption("memcurve_report") or config.getini("memcurve_report")
    return config.invocation_params.dir / name if name else None


def write_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write one line for each measured test, the worst last, where the eye is."""
    rows = list(_outcomes_of(terminalreporter))
    if not rows:
        return
    terminalreporter.section("memory curves")
    order = ["flat", "plateaued", "rising", "growing", "inconclusive", "over limit"]
    for nodeid, found in sorted(rows, key=lambda row: order.index(str(row[1]["outcome"]))):
        mark = _MARKS.get(str(found["outcome"]), " ")
        terminalreporter.write_line(f"{mark} {nodeid} ({found['calls']} calls)")
        terminalreporter.write_line(f"    {found['summary']}")
    out = report_folder(terminalreporter.config)
    complaint = terminalreporter.config.stash.get(COMPLAINT, "")
    if complaint:
        terminalreporter.write_line(f"memcurve: {complaint}")
    elif out is not None:
        terminalreporter.write_line(f"curves: {out / 'index.html'}")


def _outcomes_of(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, dict[str, Any]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for found in split_properties(report.user_properties):
                    yield report.nodeid, found


def split_properties(properties: list[tuple[str, object]]) -> list[dict[str, Any]]:
    """Return the outcomes in a test's properties: one for each callable that was measured."""
    found: list[dict[str, Any]] = []
    for name, value in properties:
        if name == PREFIX + "recording":
            found.append({})
        if name.startswith(PREFIX) and found:
            found[-1][name.removeprefix(PREFIX)] = value
    return found


def look_at_folder(config: pytest.Config) -> None:
    """Write into the folder of the report before tests run.

    Raises pytest.UsageError where that fails.
    """
    out = report_folder(config)
    if out is None or hasattr(config, "workerinput"):
        return
    try:
        ready(out)
    except OutputError as error:
        raise pytest.UsageError(f"memcurve: --memcurve-report: {error}") from error


def write_report(session: pytest.Session) -> None:
    """Write the page of all curves of this session; xdist's workers leave that to their parent.

    What goes wrong costs a line: an error here would cost pytest's own account of all failures.
    """
    try:
        _write_report(session)
    except OSError as error:
        session.config.stash[COMPLAINT] = f"no report: {error.filename}: {error.strerror}"
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        session.config.stash[COMPLAINT] = f"no report: {what}"


def _write_report(session: pytest.Session) -> None:
    out = report_folder(session.config)
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if out is None or reporter is None or hasattr(session.config, "workerinput"):
        return
    tests = {str(found["recording"]): nodeid for nodeid, found in _outcomes_of(reporter)}
    outcomes = [_outcome(out, name) for name in tests]
    if not outcomes:
        return
    from memcurve.report.write import write_all

    command = shlex.join(["pytest", *map(str, session.config.invocation_params.args)])
    measured_at = max(outcome.recording.recorded_at for outcome in outcomes)
    run = Run(outcomes=tuple(outcomes), tests=tests, command=command, recorded_at=measured_at)
    written = write_all(run, out)
    if written.complaint:
        session.config.stash[COMPLAINT] = written.complaint


def _outcome(out: Path, name: str) -> Outcome:
    from memcurve.run.scenarios import judged

    return load_outcome(out, load_recording(recording_path(out, name, "test")), judged)

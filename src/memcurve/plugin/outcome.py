"""Carry outcomes out of the test: as properties (JUnit, xdist), as a summary, as a report."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memcurve.errors import MemcurveError
from memcurve.findings import Explanation
from memcurve.judge.comparison import Outcome, Run
from memcurve.judge.judgement import judge
from memcurve.plugin.gate import Gated
from memcurve.plugin.message import summary_line
from memcurve.store import load_recording, recording_path, replace_file, save_recordings

PREFIX = "memcurve_"
SESSION = pytest.StashKey[list[str]]()
_MARKS = {"over limit": "!", "inconclusive": "?"}


def keep_outcome(item: pytest.Item, gated: Gated) -> None:
    """Put the outcome into the test's properties and, if asked for, its curves into the report.

    Properties travel with the test's report: into JUnit XML, and from xdist's workers.
    """
    details = gated.verdict.details
    assert details is not None
    recording, judgement = details.recording, details.judgement
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
        save_recordings(out, [recording])
        if details.explanation is not None:
            place = _explanation_path(out, recording.scenario)
            replace_file(place, msgspec.json.encode(details.explanation))


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
    order = ["flat", "plateaued", "growing", "inconclusive", "over limit"]
    for nodeid, found in sorted(rows, key=lambda row: order.index(str(row[1]["outcome"]))):
        mark = _MARKS.get(str(found["outcome"]), " ")
        terminalreporter.write_line(f"{mark} {nodeid} ({found['calls']} calls)")
        terminalreporter.write_line(f"    {found['summary']}")
    out = report_folder(terminalreporter.config)
    if out is not None:
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


def write_report(session: pytest.Session) -> None:
    """Write the page of all curves of this session; xdist's workers leave that to their parent."""
    out = report_folder(session.config)
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if out is None or reporter is None or hasattr(session.config, "workerinput"):
        return
    names = [str(found["recording"]) for _, found in _outcomes_of(reporter)]
    outcomes = [_outcome(out, name) for name in dict.fromkeys(names)]
    if not outcomes:
        return
    from memcurve.report.write import write_all

    command = " ".join(["pytest", *map(str, session.config.invocation_params.args)])
    try:
        write_all(Run(outcomes=tuple(outcomes), command=command), out)
    except ImportError as error:
        raise MemcurveError(f"a page needs {error.name!r}; install memcurve[report]") from error


def _outcome(out: Path, name: str) -> Outcome:
    recording = load_recording(recording_path(out, name, "test"))
    place = _explanation_path(out, name)
    explanation = None
    if place.exists():
        explanation = msgspec.json.decode(place.read_bytes(), type=Explanation)
    return Outcome(
        recording=recording,
        judgement=judge(recording),
        culprits=explanation.culprits if explanation is not None else (),
        explanation=explanation,
    )


def _explanation_path(out: Path, name: str) -> Path:
    return out / "explanations" / f"{name}.json"

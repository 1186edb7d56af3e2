"""Run small scenarios end to end: lanes, backends, gauges, failures, commands and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memcurve.cli.progress import Estimate, line
from memcurve.model.verdict import name_of
from memcurve.run import scenarios as bench
from memcurve.run.discovery import discover
from memcurve.run.lanes import Event
from memcurve.run.options import RunOptions
from memcurve.store.unfinished import Unfinished, forget_unfinished, save_unfinished
from tests.memcurve.command_line import run_command

if TYPE_CHECKING:
    from memcurve.model.outcome import Outcome

JOBS = """
import os, struct
kept = []
def leaks(number): kept.append(bytes(1000))
def flat(number): bytes(1000)
def raises(number):
    if number == 3: raise ValueError("told to")
def counts(number):
    with open(os.environ["TEST_GAUGE"], "r+b") as file:
        file.write(struct.pack("q", 7 + number))
"""

SCENARIOS = """
import contextlib, tempfile
from pathlib import Path
from memcurve import Backend, scenario
from memcurve.model.scenario import Lead

small = scenario(
    "small",
    {"naive": "jobs.py:leaks", "pooled": "jobs.py:flat"},
    calls=30,
    may_grow=("naive",),
)

@contextlib.contextmanager
def gauged():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gauge"
        path.write_bytes(bytes(8))
        yield Backend(
            environment={"TEST_GAUGE": str(path)},
            gauges={"connections_opened": (str(path), 0)},
        )

backed = scenario("backed", {"counting": "jobs.py:counts"}, calls=20, backend=gauged)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "jobs.py").write_text(JOBS)
    path = tmp_path / "scenarios.py"
    path.write_text(SCENARIOS)
    return path


def measured(place: Path, **options: object) -> dict[str, Outcome]:
    chosen = RunOptions(**({"explain": "never", "natural": False} | options))  # type: ignore[arg-type]
    outcomes = bench.run_scenarios(discover([place]), chosen)
    return {f"{o.recording.scenario}/{o.recording.design}": o for o in outcomes}


def test_designs_come_back_in_order_judged_with_all_passes(place: Path) -> None:
    events: list[Event] = []
    outcomes = bench.run_scenarios(discover([place]), RunOptions(explain="never"), events.append)
    names = [f"{o.recording.scenario}/{o.recording.design}" for o in outcomes]
    assert names == ["small/naive", "small/pooled", "backed/counting"]
    kinds = [[one.kind for one in o.recording.passes] for o in outcomes]
    assert all(kind[0] == "settled" and kind[-1] == "natural" for kind in kinds)
    verdicts = [name_of(o.judgement.retained) for o in outcomes if o.judgement]
    assert verdicts[:2] == ["growing", "flat"]
    # a pass that is over before the parent looks tells nothing of its calls
    assert {event.kind for event in events} <= {"settled", "natural", "unfrozen", "patient"}


def test_a_backends_gauges_are_read_after_each_call(place: Path) -> None:
    settled = measured(place)["backed/counting"].recording.of("settled")
    assert settled is not None
    curve = settled.samples.curve("connections_opened")
    assert dict(curve)[0] == 0
    assert dict(curve)[20] == 7 + 19


def test_all_curves_have_rows_at_the_same_calls(place: Path) -> None:
    from memcurve.compare.marks import gated_curve, marks

    for outcome in measured(place).values():
        settled, calls = outcome.recording.of("settled"), outcome.recording.calls
        assert settled is not None
        assert gated_curve(settled, "live_bytes", calls).calls == (0, *marks(calls))
        assert {*marks(calls)} <= {*settled.samples.calls}


def test_a_design_that_raises_is_a_failure_and_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    path = tmp_path / "scenarios.py"
    path.write_text(
        "from memcurve import scenario\n"
        'one = scenario("one", {"a": "jobs.py:raises", "b": "jobs.py:gone", "c": "jobs.py:flat"},'
        " calls=10)\n"
    )
    outcomes = measured(path, jobs=1)
    failures = {name: o.recording.failure for name, o in outcomes.items()}
    raised, gone = failures["one/a"], failures["one/b"]
    assert raised is not None
    assert (raised.call, "told to" in raised.message) == (4, True)
    assert gone is not None
    assert "gone" in gone.message
    assert failures["one/c"] is None


def invoke(*arguments: str) -> tuple[int, str]:
    result = run_command(*arguments)
    return result.exit_code, result.output


def test_run_accept_and_compare_work_together(place: Path, tmp_path: Path) -> None:
    out, baselines = str(tmp_path / "out"), str(tmp_path / "baselines")
    kept = ["--baselines", baselines]
    chosen = [str(place), "-k", "small", "-q", *kept]
    code, text = invoke("run", *chosen, "--quick", "--out", out, "--json")
    assert code == 0
    assert json.loads(text[text.index("{") : text.rindex("}") + 1])["schema_version"] >= 1
    for name in ("index.html", "summary.md", "small.png", "benchmark.json"):
        assert (tmp_path / "out" / name).stat().st_size > 0

    code, text = invoke("compare", "--out", out, *kept, str(place))
    assert (code, "nothing to compare with" in text) == (2, True)

    code, text = invoke("accept", *chosen, "--reason", "it is right")
    assert (code, "small/naive: new" in text) == (0, True)
    code, text = invoke("compare", "--out", out, *kept, str(place))
    assert (code, "live bytes ~" in text) == (0, True)
    ended = Unfinished(begun_at="", asked="", designs=("small/naive", "small/x"))
    save_unfinished(tmp_path / "out", ended)
    code, text = invoke("compare", "--out", out, *kept, str(place))
    assert (code, "was ended before small/naive and 1 more; go on" in text) == (2, True)
    forget_unfinished(tmp_path / "out")

    jobs = place.parent / "jobs.py"
    jobs.write_text(JOBS.replace("bytes(1000)\ndef raises", "kept.append(bytes(3000))\ndef raises"))
    code, text = invoke("run", *chosen, "--quick", "--out", out)
    assert (code, "small/pooled" in text) == (1, True)
    code, text = invoke("compare", "--out", out, *kept, str(place))
    assert (code, "left its accepted band" in text) == (1, True)

    baseline = next(Path(baselines).glob("*/small.json"))
    baseline.write_bytes(b"{")
    code, text = invoke("compare", "--out", out, *kept, str(place))
    assert (code, "not a baseline" in text) == (2, True)


JUMPING = """
import os
kept = []
def jumps(number):
    if number == 3 and os.path.exists("jump"):
        kept.append(bytes(300_000))
        if os.path.exists("once"):
            os.unlink("jump")
"""


@pytest.mark.parametrize("once", [True, False])
def test_a_curve_that_leaves_its_band_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("jumping.py").write_text(JUMPING)
    Path("scenarios.py").write_text(
        "from memcurve import scenario\n"
        'one = scenario("one", {"a": "jumping.py:jumps"}, calls=20)\n'
    )
    chosen = ["scenarios.py", "-q", "--baselines", "accepted"]
    assert invoke("accept", *chosen, "--reason", "it is right")[0] == 0

    code, text = invoke("run", *chosen, "--quick", "--json")
    assert (code, "measured_again" in text) == (0, False)  # nothing is run twice that stays inside

    Path("jump").touch()
    if once:
        Path("once").touch()
    code, text = invoke("run", *chosen, "--quick", "--json")
    assert code == (0 if once else 1)
    summary = json.loads(text[text.index("{") : text.rindex("}") + 1])
    (design,) = summary["scenarios"][0]["designs"]
    again = [one["text"] for one in design["caveats"] if one["kind"] == "measured_again"]
    assert len(again) == 1
    assert "at first live bytes left its accepted band at call 4" in again[0]
    assert bool(design["crossings"]) is not once


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "nothing.py"],
        ["compare", "--out", "nowhere"],
        ["report", "--out", "nowhere"],
        ["run", "--quick", "--full"],
        ["accept", "--reason", " "],
        ["compare", "--with", "x", "--against", "HEAD"],
    ],
)
def test_what_cannot_be_done_exits_with_2(arguments: list[str]) -> None:
    code, text = invoke(*arguments)
    assert code == 2
    assert "Traceback" not in text


def test_the_time_left_follows_from_the_passes_that_are_done() -> None:
    now = [0.0]
    estimate = Estimate(lambda: now[0])
    event = Event(scenario="a", design="b", kind="settled", call=7, done=0, total=4)
    assert estimate.left_s(event) is None
    assert line(event, None) == "[0/4] a/b settled: call 7"
    now[0] = 10.0
    later = Event(scenario="a", design="b", kind="settled", call=7, done=1, total=4)
    assert estimate.left_s(later) == 30.0
    assert line(later, 30.0).endswith("about 30.0 s left")


def test_a_pass_that_runs_beside_another_counts_as_half_done() -> None:
    now = [0.0]
    estimate = Estimate(lambda: now[0])
    first = Event(scenario="a", design="b", kind="settled", call=7, done=0, total=4)
    estimate.left_s(first)
    now[0] = 15.0
    beside = Event(scenario="a", design="c", kind="unfrozen", call=7, done=1, total=4)
    assert estimate.left_s(beside) == 25.0  # one and a half of four took 15 s

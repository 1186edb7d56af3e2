"""What explaining runs, what it costs, and which files it writes and removes."""

import contextlib
from pathlib import Path

import pytest

from memcurve.explain.culprits import cost_of
from memcurve.judge.judgement import judge
from memcurve.measure.explaining_passes import LINES_CPU_S, Windows, lines_request, windows_for
from memcurve.measure.runner import PassPlan
from memcurve.model.effort import effort_for
from memcurve.model.findings import Explanation
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Backend, Target
from memcurve.model.steps import Calls, Finish, Survey
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import WindowMark
from memcurve.model.thresholds import Thresholds
from memcurve.run.explain import ExplainOptions
from memcurve.run.explain import explained as passes
from memcurve.run.interpreter import Interpreter
from memcurve.run.options import Options
from memcurve.run.passes import Subject, measured

SOURCE = """
import os, signal, zlib

KEPT, HELD = [], []

class Stream:
    def __init__(self):
        self.packer = zlib.compressobj()

def flat(number):
    bytes(2000)

def keeps(number):
    KEPT.append(Stream())

def dies_when_traced(number):
    HELD.append(bytes(300))
    if os.environ.get("TRACED") and number == 150:
        os.kill(os.getpid(), signal.SIGKILL)
"""
QUICK = Thresholds(first_look=120, flat_tail=80, enough=120, conviction=120, most_calls=200)


def explained(folder: Path, name: str, chosen: ExplainOptions, **environment: str) -> Explanation:
    """Measure and explain one function of the source; `environment` is for explaining only."""
    file = folder / "streams.py"
    file.write_text(SOURCE)
    subject = Subject(target=Target(call=f"{file}:{name}"))
    options = Options(grace_s=0.05, thresholds=QUICK)
    with Interpreter.opened([subject], options) as interpreter:
        found = measured(subject, options, effort_for(100, None, QUICK))
        recording = interpreter.drive(subject, found)
    assert recording.failure is None, recording.failure
    asked = passes(subject, options, recording, judge(recording, QUICK), chosen)
    with contextlib.closing(
        Interpreter([subject], options, Backend(environment=environment))
    ) as interpreter:
        return interpreter.drive(subject, asked)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which every temporary file of a worker and of this process would lie."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return tmp_path


def left_behind(place: Path) -> list[str]:
    return [path.name for path in (place / "temporary").rglob("*.memray")]


def test_what_does_not_grow_is_explained_by_one_short_pass(place: Path) -> None:
    found = explained(place, "flat", ExplainOptions(flame_graph=place / "flame.html"))
    (cost,) = found.passes
    assert (cost.kind, found.peak, found.flame_graph) == ("survivors", None, "")
    assert cost.calls <= 125  # of which 100 warm up


def test_growth_leaves_a_flame_graph_that_needs_no_network_and_no_other_file(place: Path) -> None:
    flame_graph = place / "flame.html"
    found = explained(place, "keeps", ExplainOptions(flame_graph=flame_graph))
    assert found.flame_graph == str(flame_graph)
    assert '<script src="http' not in flame_graph.read_text()
    assert [cost.kind for cost in found.passes] == ["survivors", "allocations", "allocations"]
    assert left_behind(place) == []


def test_the_high_water_mark_names_the_line_that_made_it(place: Path) -> None:
    found = explained(place, "keeps", ExplainOptions(keep=place / "kept.memray"))
    assert found.peak is not None
    assert found.peak.bytes > 100 * 200_000
    line = SOURCE.splitlines().index("        self.packer = zlib.compressobj()") + 1
    assert found.peak.sites[0].site.endswith(f"streams.py:{line}")
    assert (place / "kept.memray").stat().st_size > 0


def test_native_frames_come_on_request_only(place: Path) -> None:
    plain = explained(place, "keeps", ExplainOptions())
    native = explained(place, "keeps", ExplainOptions(native=True))
    assert all(".py:" in step for site in plain.sites for step in site.stack)
    assert any("deflate" in site.function or ".py:" not in site.stack[0] for site in native.sites)


def test_without_memray_a_flame_graph_is_not_claimed(place: Path) -> None:
    chosen = ExplainOptions(tracer="tracemalloc", flame_graph=place / "flame.html")
    found = explained(place, "keeps", chosen)
    assert (found.tracer, found.flame_graph) == ("tracemalloc", "")
    assert any("tracemalloc does not see" in note for note in found.notes)


def test_a_killed_process_leaves_no_trace_file_and_a_note(place: Path) -> None:
    found = explained(place, "dies_when_traced", ExplainOptions(), TRACED="1")
    assert any("ended early" in note for note in found.notes)
    assert left_behind(place) == []


def test_who_refers_to_a_survivor_is_drawn_on_request(place: Path) -> None:
    pytest.importorskip("objgraph")
    found = explained(place, "keeps", ExplainOptions(drawings=1))
    graph = found.references[found.culprits[0].fingerprint]
    assert graph.startswith("digraph")
    assert "streams.Stream" in graph
    assert 'label="KEPT"' in graph
    assert "0x" not in graph


def test_windows_are_whole_tens_and_shrink_with_the_cost_of_a_call() -> None:
    assert windows_for(0.0005).window == 200
    sizes = [windows_for(ms / 1000).window for ms in (5, 10, 20, 60, 500)]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size % 10 == 0 and size >= 10 for size in sizes)
    assert windows_for(0.001, brief=True).window == 10


def test_windows_fit_into_the_time_left_and_have_ten_calls_at_least() -> None:
    assert windows_for(0.0005, fitting=45.0).window == 40
    assert windows_for(0.0005, fitting=45.0).warm == 45
    assert windows_for(0.0005, fitting=0.0).window == 10
    assert windows_for(0.0005, fitting=1e9) == windows_for(0.0005)


def test_what_no_time_is_left_for_is_left_out_and_said(place: Path) -> None:
    short = explained(place, "keeps", ExplainOptions(seconds=0.5))
    assert [cost.kind for cost in short.passes] == ["survivors"]
    assert "streams.KEPT" in " ".join(short.culprits[0].path)
    assert any("longer budget" in note for note in short.notes)
    ample = explained(place, "keeps", ExplainOptions(seconds=60.0))
    assert "allocations" in [cost.kind for cost in ample.passes]
    assert not any("longer budget" in note for note in ample.notes)


def test_counting_by_line_ends_when_it_has_cost_enough() -> None:
    windows = Windows(warm=5, window=50, traced=10, short=10, long=60, lines=50)
    _, decide = lines_request(PassPlan(kind="allocations", mode="settled"), windows)
    asked = []
    for call in range(60):
        cpu_s = 0.1 + max(call - 2, 0) * LINES_CPU_S / 3
        step = decide(PassRecord(kind="allocations", mode="settled", cpu_s=cpu_s))
        asked.append(step)
        if isinstance(step, Finish):
            break
    assert asked[0] == Calls(to=5)
    assert isinstance(asked[-2], Survey)
    assert sum(isinstance(step, Calls) for step in asked) < 10


def test_the_cost_of_a_pass_is_that_of_its_last_survey() -> None:
    surveys = Surveys(
        mark=WindowMark(call=10, objects=1, pass_cpu_s=1.0, pass_calls=10),
        middle=WindowMark(call=30, objects=1, pass_cpu_s=2.5, pass_calls=30),
    )
    cost = cost_of(PassRecord(kind="survivors", mode="settled", surveys=surveys))
    assert (cost.cpu_s, cost.calls) == (2.5, 30)


def test_a_pass_says_what_it_cost(place: Path) -> None:
    (cost,) = explained(place, "flat", ExplainOptions()).passes
    assert 0.0 < cost.cpu_s < 60.0

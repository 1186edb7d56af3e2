"""The page of one culprit: path with bytes, cohort, code, what to do; and the link to it."""

from pathlib import Path

import msgspec
import pytest

from memcurve.model.answers import PathStep
from memcurve.model.findings import Cohort, Culprit
from memcurve.report.culprit_page import bars_of, render_culprit, step_rows
from memcurve.report.write import write_all, write_culprit
from memcurve.store.excerpts import excerpt_of
from tests.memcurve.making import run
from tests.memcurve.sample_run import naive

HELD = Culprit(
    type="app.Session",
    per_call=1.0,
    bytes_per_call=2048.0,
    share=0.9,
    root="module global",
    path=("app.KEPT: dict", "[*]: app.Session", ".body: bytes"),
    steps=(
        PathStep("app.KEPT", "dict"),
        PathStep("[*]", "app.Session"),
        PathStep(".body", "bytes"),
    ),
    step_bytes=(2048.0, 2048.0, 1024.0),
    cohorts=(Cohort(first=101, last=300, alive=200), Cohort(first=301, last=500, alive=199)),
    site="app.py:3",
    user_site="app.py:3",
    sample="'<b>&'",
    advice="remove the entry when its work ends",
    fingerprint="c166770e6ff9",
)


def test_each_step_is_told_with_the_bytes_that_go_with_it() -> None:
    assert [(step.label, step.bytes, step.share) for step in step_rows(HELD)] == [
        ("app.KEPT", 2048.0, 100.0),
        ("[*]", 2048.0, 100.0),
        (".body", 1024.0, 50.0),
    ]


def test_the_page_tells_path_cohort_and_what_to_do_and_asks_the_network_for_nothing() -> None:
    text = render_culprit(naive("rag_client"), HELD)
    for told in ("app.KEPT: dict", "1.00 KiB a call", "101 to 300", "remove the entry when", "199"):
        assert told in text
    assert "&#39;&lt;b&gt;&amp;&#39;" in text
    assert not any(word in text for word in ("http://", "https://", "<script", "src="))


def test_the_bars_of_the_calls_add_up_to_what_the_calls_left() -> None:
    outcome = naive("rag_client")
    bars = bars_of(outcome)
    record = outcome.recording.of("settled")
    assert record is not None
    live = record.samples.curve("live_bytes")
    last = live.calls.index(bars[-1].last)
    left = sum(bar.bytes * (bar.last - bar.first + 1) for bar in bars)
    assert left == pytest.approx(live.values[last] - live.values[0])


def test_the_code_around_a_place_is_shown_with_its_line_marked(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("KEPT = {}\n\nKEPT[1] = 2\n# after\n")
    found = excerpt_of("app.py:3", tmp_path)
    assert [(line.number, line.text, line.wanted) for line in found.lines] == [
        (1, "KEPT = {}", False),
        (2, "", False),
        (3, "KEPT[1] = 2", True),
        (4, "# after", False),
    ]
    text = render_culprit(naive("rag_client"), HELD, [found])
    assert "your own line" in text
    assert "KEPT[1] = 2" in text


@pytest.mark.parametrize(
    "place", ["gone.py:3", "<string>:1", "app.py:", "", "a\0b.py:1", "x" * 9000]
)
def test_a_place_that_cannot_be_read_has_no_lines(tmp_path: Path, place: str) -> None:
    assert excerpt_of(place, tmp_path).lines == ()


def test_a_place_that_others_wrote_chooses_no_path(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("secret.py", "project/.env", "project/own.py"):
        (tmp_path / name).write_text("KEY = 1\n")
    (folder / "link.py").symlink_to(tmp_path / "secret.py")
    assert excerpt_of("own.py:1", folder).lines
    for place in ("../secret.py:1", f"{tmp_path}/secret.py:1", ".env:1", "link.py:1"):
        assert excerpt_of(place, folder).lines == ()


def test_a_library_is_read_where_packages_are(tmp_path: Path) -> None:
    assert excerpt_of("msgspec/__init__.py:1", tmp_path).lines[0].wanted


def test_the_page_of_a_run_links_to_each_culprit(tmp_path: Path) -> None:
    outcome = msgspec.structs.replace(naive("rag_client"), culprits=(HELD,))
    write_all(run(outcome), tmp_path, formats=())
    (page,) = (tmp_path / "culprits").iterdir()
    assert f'href="culprits/{page.name}"' in (tmp_path / "index.html").read_text()
    assert 'href="../index.html"' in page.read_text()


def test_a_page_is_written_where_told(tmp_path: Path) -> None:
    path = write_culprit(naive("rag_client"), HELD, tmp_path / "deep" / "one.html")
    assert "app.Session" in path.read_text()

"""Pictures: labels at the lines, units of 1024, no overlap, and only the run's values in them."""

import struct

import pytest

from memcurve.report.arrange import view_of
from memcurve.report.panel_drawing import spread
from memcurve.report.picture import TITLE_LETTERS, _fitted, draw
from tests.memcurve.making import run
from tests.memcurve.sample_run import crossed_run, failed, sample_run


def test_a_picture_is_a_png_of_a_publishable_size() -> None:
    page = view_of(sample_run())
    data = draw(page, page.scenarios[0])
    width, height = struct.unpack(">II", data[16:24])
    assert data.startswith(b"\x89PNG")
    assert (width, height) >= (1500, 900)


def test_the_svg_says_verdicts_units_and_names_as_text() -> None:
    page = view_of(sample_run())
    shown = next(one for one in page.scenarios if one.name == "rag_client")
    text = draw(page, shown, "svg").decode()
    for words in (
        "pooled flat",
        "published plateaued +26.4 KiB",
        "KiB",
        "MiB",
        "Retained",
        "calls",
    ):
        assert words in text
    for design in shown.designs:
        assert design.ink.light in text
    assert "accepted baseline" in text


def test_a_picture_of_the_same_run_is_the_same_picture() -> None:
    page = view_of(crossed_run())
    first, again = (draw(page, page.scenarios[0], "svg") for _ in range(2))
    assert first == again


def test_a_crossed_band_is_marked_at_its_call() -> None:
    page = view_of(crossed_run())
    text = draw(page, page.scenarios[0], "svg").decode()
    assert "call 37: pooled leaves its band" in text
    assert "left its accepted band" in text
    assert "ends at 36" in text  # the design that failed


def test_a_scenario_without_rows_is_a_picture_that_says_so() -> None:
    nothing = failed("rag_client")
    bare = type(nothing.recording)(
        scenario="s", design="naive", target="t", calls=100, environment=None, passes=()
    )
    page = view_of(run(type(nothing)(recording=bare, judgement=None)))
    assert "nothing was measured" in draw(page, page.scenarios[0], "svg").decode()


def test_labels_that_collide_are_moved_apart_around_their_mean() -> None:
    placed = spread({"a": 0.50, "b": 0.51, "c": 0.90}, gap=0.1)
    assert placed == pytest.approx({"a": 0.455, "b": 0.555, "c": 0.90})


def test_labels_at_the_bottom_stay_above_it() -> None:
    placed = sorted(spread({"a": 0.0, "b": 0.0, "c": 0.01}, gap=0.1).values())
    assert placed == pytest.approx([0.05, 0.15, 0.25])


@pytest.mark.parametrize("letters", [20, 139, 141, 165, 281, 900])
def test_a_title_is_whole_however_long_it_is(letters: int) -> None:
    said = ("a fourth of the calls never ends, " * 30)[:letters].strip()
    size, text = _fitted(said)
    assert text.replace("\n", " ") == said
    assert text.count("\n") <= 1
    longest = max(map(len, text.splitlines()))
    assert longest * size <= TITLE_LETTERS * 10  # no wider than a line of the usual size

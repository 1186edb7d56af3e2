"""What a prompt and a notebook show of a result."""

import re
import subprocess
import sys

import memcurve
from memcurve.model.wording import wording
from memcurve.report.printed import panel
from memcurve.report.text import check_text, verdict_line

KEPT: list[bytes] = []


def leak() -> None:
    KEPT.append(bytes(1000))


def test_a_verdict_prints_as_the_line_that_the_terminal_shows() -> None:
    checked = memcurve.check(leak, calls=40, explain=False, isolation="fork")
    assert str(checked.verdict) == verdict_line(checked.verdict)
    assert str(checked.verdict).startswith("rising: live bytes grow by ")
    assert str(checked) == check_text(checked)
    assert repr(checked) == f"<Checked: {checked.verdict}>"


def test_the_panel_draws_the_curve_and_escapes_what_it_says() -> None:
    checked = memcurve.check(leak, calls=40, explain=False, isolation="fork")
    html = panel(checked)
    assert checked._repr_html_() == html
    assert "<svg" in html
    points = re.search(r'points="([^"]+)"', html)
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points.group(1).split()]
    # it rises, and small is high; a fork may begin with a small fall
    assert (max(heights), heights[-1]) == (90.0, 0.0)
    assert heights[0] > 60.0
    assert "<script" not in html
    assert "http" not in html


def test_a_flat_result_has_a_panel_too() -> None:
    checked = memcurve.check(lambda: None, calls=40, explain=False)
    assert "#2e7d4f" in panel(checked)


def test_what_a_prompt_shows_needs_no_further_import() -> None:
    code = "import memcurve; print(memcurve.check(lambda: None, calls=40).verdict)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("flat: live bytes do not grow")


def test_without_what_reports_a_result_prints_as_it_is() -> None:
    assert wording("no such kind", object()) is None

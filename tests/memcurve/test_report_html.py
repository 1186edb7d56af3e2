"""The page is one file that needs nothing else, holds every word, and stays small."""

import html.parser
import json
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memcurve.model.outcome import Outcome, Run
from memcurve.model.recording import Failure
from memcurve.report.arrange import view_of
from memcurve.report.html import render_html
from tests.memcurve.making import (
    accepted,
    accepted_design,
    baseline,
    curve,
    judgement,
    natural,
    outcome,
    pass_record,
    recording,
    run,
    settled,
)
from tests.memcurve.sample_run import crossed_run, sample_run

MIB = 1024**2
SCRIPT = Path(__file__).parents[2] / "src/memcurve/report/templates/report.js"


class Reader(html.parser.HTMLParser):
    """Collects the tags of a page, and what its attributes would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [found[name] for name in ("src", "srcset", "data") if name in found]
        if tag == "link":
            self.fetched.append(found.get("href", ""))
        if tag == "a":
            self.links.append(found["href"])
        self.ids += [found["id"]] if "id" in found else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another element"


VOID = {"meta", "link", "br", "img", "input", "hr"}


def page(of: Run, folder: Path | None = None) -> str:
    return render_html(view_of(of), folder)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def chart_data(text: str) -> list[dict[str, Any]]:
    data = text.partition('<script type="application/json" id="data">')[2]
    charts: list[dict[str, Any]] = json.loads(data.partition("</script>")[0])["charts"]
    return charts


@pytest.mark.parametrize(
    "of", [sample_run(), crossed_run(), run()], ids=["sample", "crossed", "none"]
)
def test_the_page_is_well_formed_and_fetches_nothing(of: Run) -> None:
    text = page(of)
    reader = read(text)
    assert reader.open == []
    assert reader.fetched == []
    assert len(reader.ids) == len(set(reader.ids))
    assert text.count("url(") == text.count("url(#")
    assert re.findall(r"(?:https?:)?//[a-z]", text.replace("http://www.w3.org/2000/svg", "")) == []
    assert "@import" not in text


def test_every_link_inside_the_page_has_its_target() -> None:
    reader = read(page(sample_run()))
    inside = {link[1:] for link in reader.links if link.startswith("#")}
    assert {"rag_client", "vectordb_node", "executions", "main", "top"} <= inside
    assert inside <= set(reader.ids)


def test_a_flame_graph_is_linked_relative_to_the_page() -> None:
    text = page(sample_run(), Path("reports"))
    assert 'href="executions-naive.html"' in text


def test_what_is_measured_cannot_write_markup() -> None:
    nasty = '<script>alert("x")</script>'
    made = run(
        outcome(recording(scenario="s", design="naive")), s=nasty, command=f"memcurve {nasty}"
    )
    text = page(made)
    assert nasty not in text
    assert "&lt;script&gt;alert" in text


def test_a_design_may_have_any_name() -> None:
    text = page(run(outcome(recording(design="my design {}; <b>"), judged=judgement())))
    assert ".ink-my_design______b_ {" in text
    assert read(text).open == []


def test_json_in_the_page_cannot_end_its_script() -> None:
    text = page(run(outcome(recording(design="naive"), judged=judgement())))
    data = text.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&") & set(data)
    assert chart_data(text)


def test_bands_stand_only_at_curves_of_the_settled_pass() -> None:
    charts = chart_data(page(crossed_run()))
    banded = {chart["title"] for chart in charts for line in chart["lines"] if "band" in line}
    assert banded == {"Retained"}
    assert [chart["marks"] for chart in charts if chart["marks"]] == [
        [{"design": "pooled", "call": 37}]
    ]


def test_a_baseline_says_who_accepted_what_and_why() -> None:
    band = accepted(curve().flat(), band=4096)
    held = baseline("rag_client", pooled=accepted_design(band))
    text = render_html(view_of(crossed_run(), {"rag_client": held}))
    assert "first accepted curves" in text
    assert "accepted 2026-11-20 from 5 runs" in text


def test_findings_are_drawn_and_their_absence_is_no_gap() -> None:
    explained, bare = page(sample_run()), page(crossed_run())
    for words in ("What grows, and who holds it", "cyclic collector", "Flame graph of executions"):
        assert words in explained
        assert words not in bare.partition("</style>")[2].partition("<footer>")[0].replace(
            "wait for the cyclic collector", ""
        )
    assert explained.count('class="cycle"') == 2
    assert "remove finished executions from active_executions" in explained


def test_a_pass_that_ended_early_is_told_beside_the_verdict_that_stands() -> None:
    killed = Failure(stage="call", kind="killed", message="killed by signal 9", call=40)
    early = pass_record("natural", failure=killed, fds=curve(calls=40).flat())
    text = page(run(outcome(recording(settled(), early, design="naive"), judged=judgement())))
    assert "naive: a pass ended early" in text
    assert "killed by signal 9 in call 40" in text
    assert "naive: not measured" not in text
    assert "published: not measured" in page(crossed_run())


def test_the_page_says_how_to_measure_again() -> None:
    assert "make bench ARGS=&#34;-k rag_client --calls 100&#34;" in page(sample_run())
    by_hand = msgspec.structs.replace(sample_run(), command="memcurve run -k other -q")
    assert "memcurve run -k rag_client --calls 100" in page(by_hand)


def long_outcome(scenario: str, design: str, seed: int) -> Outcome:
    """A design with 10,000 noisy rows in every counter: the worst case for a page."""
    noisy = curve(calls=10_000).grows(per_call=30).noise(seed=seed, by=9_000)
    made = recording(
        settled(noisy, deferred_bytes=noisy, objects=noisy, connections_opened=noisy),
        natural(noisy, rss_bytes=noisy, rss_peak_bytes=noisy, fds=noisy, cpu_ns=noisy),
        scenario=scenario,
        design=design,
        calls=10_000,
    )
    return outcome(made, judged=judgement(calls=10_000))


def test_20_scenarios_of_10_000_calls_stay_below_5_mb() -> None:
    designs = [long_outcome("big", name, seed) for seed, name in enumerate(("naive", "pooled"))]
    third = [long_outcome("big", "published", 9)]
    one = len(page(run(*designs, *third)).encode())
    empty = len(page(run()).encode())
    assert empty + 20 * (one - empty) < 5 * MIB


def test_the_script_is_small_and_stands_alone() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text) < 30_000
    for fetching in ("fetch(", "XMLHttpRequest", "import ", "WebSocket", "eval("):
        assert fetching not in text


def test_rendering_is_quick() -> None:
    made = view_of(sample_run())
    render_html(made)
    began = time.process_time()
    render_html(made)
    assert time.process_time() - began < 1.0

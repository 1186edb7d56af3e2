"""The page in a real browser: silent, without network, usable by mouse, keyboard and reader."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from memcurve.model.units import format_bytes
from memcurve.report.arrange import view_of
from memcurve.report.html import render_html
from tests.memcurve.making import run
from tests.memcurve.sample_run import crossed_run, naive, sample_run
from tests.memcurve.test_report_html import long_outcome

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path; on Debian: apt-get install chromium"
)
CHART = "#rag_client .chart.main .plot"
PATIENCE_MS = 120_000
OVERLAPPING = """() => [...document.querySelectorAll('.plot svg')].flatMap((svg) => {
  const texts = [...svg.querySelectorAll('text')]
    .map((one) => [one.textContent, one.getBoundingClientRect()]);
  const meet = (p, q) => p.left < q.right - 1 && q.left < p.right - 1;
  const level = (p, q) => p.top < q.bottom - 4 && q.top < p.bottom - 4;
  return texts.flatMap(([a, p], i) => texts.slice(i + 1)
    .filter(([, q]) => meet(p, q) && level(p, q))
    .map(([b]) => `${svg.parentElement.dataset.name}: ${a} / ${b}`));
})"""


@dataclass(slots=True)
class Opened:
    """A page with everything that it said and asked for."""

    page: "Page"
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright  # missing beside a chromium, it fails

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render_html(view_of(sample_run()), path.parent), encoding="utf-8")
    return path


def opened(browser: "Browser", file: Path, **context: Any) -> Opened:
    sized = {"viewport": {"width": 1280, "height": 900}} | context
    page = browser.new_context(**sized).new_page()
    page.set_default_timeout(PATIENCE_MS)
    found = Opened(page)
    page.on("console", lambda message: found.said.append(message.text))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", lambda request: found.asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector(".hero .plot svg")
    return found


@pytest.fixture
def view(browser: "Browser", file: Path) -> Iterator[Opened]:
    found = opened(browser, file)
    yield found
    assert found.said == []
    assert found.asked == [file.as_uri()]
    found.page.context.close()


def scroll_to_chart(view: Opened) -> None:
    view.page.locator(CHART).scroll_into_view_if_needed()
    view.page.wait_for_selector(f"{CHART} svg")


def test_the_first_screen_holds_verdict_curve_and_table(view: Opened) -> None:
    page = view.page
    bottom = page.evaluate("innerHeight")
    for selector in ("#verdict", ".hero .main .plot svg", ".proved", ".scenarios thead"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= bottom
    assert page.title() == "memcurve: no threshold crossed"


def test_hovering_reads_every_line_at_a_call(view: Opened) -> None:
    scroll_to_chart(view)
    box = view.page.locator(CHART).bounding_box()
    assert box is not None
    view.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    said = view.page.locator(f"{CHART} .tip").inner_text()
    assert said.startswith("call ")
    for design in ("naive", "published", "pooled"):
        assert f"{design} " in said


def test_the_keyboard_walks_from_call_to_call(view: Opened) -> None:
    scroll_to_chart(view)
    chart = view.page.locator(CHART)
    chart.focus()
    view.page.keyboard.press("Home")
    assert chart.get_attribute("aria-valuenow") == "0"
    view.page.keyboard.press("ArrowRight")
    view.page.keyboard.press("PageUp")
    assert chart.get_attribute("aria-valuenow") == "11"
    assert "call 11: naive " in (chart.get_attribute("aria-valuetext") or "")
    view.page.keyboard.press("End")
    assert chart.get_attribute("aria-valuenow") == "100"


def test_a_line_can_be_switched_off_and_on(view: Opened) -> None:
    scroll_to_chart(view)
    page, button = view.page, view.page.locator("#rag_client [data-line=naive]")
    assert page.locator(f"{CHART} path.line.ink-naive").count() == 1
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert page.locator(f"{CHART} path.line.ink-naive").count() == 0
    button.click()
    assert page.locator(f"{CHART} path.line.ink-naive").count() == 1


def test_all_lines_off_is_an_empty_chart_and_no_error(view: Opened) -> None:
    scroll_to_chart(view)
    for button in view.page.locator("#rag_client [data-line]").all():
        button.click()
    assert view.page.locator(f"{CHART} path.line").count() == 0
    assert "no line is shown" in (view.page.locator(CHART).get_attribute("aria-valuetext") or "")


def test_logarithmic_axes_and_all_calls_redraw_the_curves(view: Opened) -> None:
    scroll_to_chart(view)
    page, line = view.page, view.page.locator(f"{CHART} path.line.ink-naive")
    linear = line.get_attribute("d")
    page.locator("#rag_client [data-log]").click()
    bent = line.get_attribute("d")
    page.locator("#rag_client [data-all]").click()
    assert len({linear, bent, line.get_attribute("d")}) == 3
    assert page.locator(CHART).get_attribute("aria-valuemax") == "1500"


def test_what_the_first_call_builds_can_be_taken_off(view: Opened) -> None:
    scroll_to_chart(view)
    page, chart = view.page, view.page.locator(CHART)
    page.locator("#rag_client [data-warm]").click()
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    said = chart.get_attribute("aria-valuetext")
    assert said == "call 1: naive 0 B, published 0 B, pooled 0 B"


def test_the_theme_can_be_chosen(view: Opened) -> None:
    page = view.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    assert page.evaluate(ground) == light
    page.locator("#theme").click()
    assert page.locator("#theme").inner_text() == "theme: dark"
    assert page.evaluate(ground) != light


def test_the_script_prints_bytes_as_python_does(view: Opened) -> None:
    scroll_to_chart(view)
    view.page.locator(CHART).focus()
    said = view.page.locator(CHART).get_attribute("aria-valuetext") or ""
    shown = next(one for one in view_of(sample_run()).scenarios if one.name == "rag_client")
    panel = shown.panel("retained")
    assert panel is not None
    for line in panel.lines:
        assert f"{line.design} {format_bytes(line.curve.at(100))}" in said


def test_the_command_can_be_copied(view: Opened) -> None:
    button = view.page.locator("#rag_client [data-copy]")
    button.click()
    button.filter(has_text=re.compile("^(copied|selected)$")).wait_for()
    assert button.inner_text() in ("copied", "selected")


def test_values_are_there_as_a_table_too(view: Opened) -> None:
    scroll_to_chart(view)
    details = view.page.locator("#rag_client .chart.main details")
    details.locator("summary").click()
    assert details.locator("tbody tr").count() >= 5


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_never_scrolls_sideways(browser: "Browser", file: Path, width: int) -> None:
    view = opened(browser, file, viewport={"width": width, "height": 844})
    assert view.page.evaluate("document.documentElement.scrollWidth") <= width
    view.page.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_label_of_a_chart_lies_on_another(browser: "Browser", file: Path, width: int) -> None:
    view = opened(browser, file, viewport={"width": width, "height": 900})
    view.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    overlapping = view.page.evaluate(OVERLAPPING)
    assert overlapping == []
    view.page.context.close()


def test_without_scripts_the_words_and_figures_remain(browser: "Browser", file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert "pooled is flat" in page.locator("h1").inner_text()
    assert page.locator("noscript").count() == 1
    assert page.locator(".scenarios tbody tr").count() == 11
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_in_the_table_leads_to_its_scenario(
    browser: "Browser", file: Path, width: int
) -> None:
    view = opened(browser, file, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    view.page.locator(".scenarios a[href='#executions']").click()
    view.page.wait_for_function("scrollY > 1000")
    heading = view.page.locator("#executions-name").bounding_box()
    assert heading is not None
    assert 0 < heading["y"] < 300
    view.page.context.close()


def test_printing_draws_every_curve_on_white(browser: "Browser", file: Path) -> None:
    view = opened(browser, file, color_scheme="dark")
    view.page.emulate_media(media="print")
    view.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    plots, drawn = (view.page.locator(f".plot{svg}").count() for svg in ("", " svg"))
    assert plots == drawn
    assert (
        view.page.evaluate("getComputedStyle(document.body).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert not view.page.locator(".controls").first.is_visible()
    view.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_rule_is_seriously_violated(
    browser: "Browser", tmp_path: Path, scheme: str
) -> None:
    from axe_playwright_python import base as axe

    file = tmp_path / "index.html"
    worst = run(naive("executions", kept=True), *crossed_run().outcomes)
    file.write_text(render_html(view_of(worst)), encoding="utf-8")
    view = opened(browser, file, color_scheme=scheme)
    page = view.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.evaluate(axe.AXE_SCRIPT)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    told = {one["id"]: [node["html"][:160] for node in one["nodes"][:3]] for one in serious}
    assert told == {}
    page.context.close()


def test_a_big_report_opens_in_a_second(browser: "Browser", tmp_path: Path) -> None:
    designs = ("naive", "published", "pooled")
    made = [long_outcome("s0", design, seed) for seed, design in enumerate(designs)]
    big = view_of(run(*made))
    scenarios = tuple(replace(big.scenarios[0], name=f"s{i}") for i in range(20))
    file = tmp_path / "index.html"
    file.write_text(render_html(replace(big, scenarios=scenarios)), encoding="utf-8")
    assert file.stat().st_size < 5 * 1024**2
    view = opened(browser, file)
    meter = view.page.context.new_cdp_session(view.page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})
    view.page.reload()
    view.page.wait_for_selector(".hero .plot svg")
    found = {one["name"]: one["value"] for one in meter.send("Performance.getMetrics")["metrics"]}
    assert 0 < found["TaskDuration"] < 1  # CPU seconds: whatever else runs is not the page's
    assert view.said == []
    view.page.context.close()

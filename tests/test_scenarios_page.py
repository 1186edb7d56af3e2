"""docs/scenarios.md names every argument of `scenario()` and every counter, and no other."""

import inspect
import re
from pathlib import Path

import memcurve
from memcurve.model.units import COUNTERS

PAGE = (Path(__file__).parents[1] / "docs/scenarios.md").read_text(encoding="utf-8")


def named(section: str) -> list[tuple[str, ...]]:
    """Return the first two cells of each row below a heading."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [match.groups() for match in re.finditer(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE)]


def test_every_argument_of_a_scenario_is_on_the_page_in_its_order() -> None:
    names = [name for name, _ in named("What `scenario()` takes")]
    assert names == list(inspect.signature(memcurve.scenario).parameters)


def test_every_counter_is_on_the_page_with_its_unit() -> None:
    assert named("Counters") == [(one.name, one.unit) for one in COUNTERS.values()]

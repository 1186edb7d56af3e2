"""The figures in docs/verdicts.md are those of the code."""

import re
from pathlib import Path

import msgspec
import pytest

from memcurve.judge import estimate, growth
from memcurve.judge.trend import BLOCKS
from memcurve.model.thresholds import Thresholds

DOC = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text()
FLAT = " ".join(DOC.split())
ROW = re.compile(r"^\| `(\w+)` \| ([\d.]+) \|", re.MULTILINE)


def test_every_threshold_stands_in_the_table_with_its_default() -> None:
    told = {name: float(value) for name, value in ROW.findall(DOC)}
    assert told == {name: float(v) for name, v in msgspec.structs.asdict(Thresholds()).items()}


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {BLOCKS} blocks",
        f"{growth.HOLDS} times as fast as the first",
        f"at least {growth.MAY_HOLD} times as fast",
        f"chance ({growth.SIGNIFICANT:g} standard errors)",
        f"longer than {growth.LONGEST_STAND} calls or a sixth",
        f"The last {growth.EDGE_SHARE:.0%} of the tail".replace("%", " %"),
        f"stands still for {growth.INTERMITTENT_STAND} calls somewhere",
        f"in a tail of {growth.INTERMITTENT_CALLS} or more",
        f"noise/{1 / growth.NOISE_SHARE:g})",
        f"noise/{growth.FLOOR_OF_NOISE})",
        f"high ≤ {growth.INTERMITTENT_FLOORS}·`floor_limit`",
        f"more than {growth.WARM_UP_BYTES // 1024} KiB behind its {growth.WARM_UP_CALLS}th call",
        f"{estimate.RECOUNT_SHARE:.1%} and, for bytes, {growth.RECOUNT_BYTES} B".replace("%", " %"),
    ],
)
def test_every_constant_of_the_rule_is_told_as_it_is(sentence: str) -> None:
    assert sentence in FLAT

"""Every design can be told apart by everybody, on light and on dark ground.

Dichromacy is simulated in linear RGB after Machado, Oliveira and Fernandes (2009); differences are
CIE76 in CIELAB; contrast is that of WCAG.
"""

from itertools import combinations

import pytest

from memcurve.report.palette import DARK_GROUND, KNOWN, LIGHT_GROUND, OTHERS, inks

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

SIGHTS: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deutan": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritan": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
XYZ: Matrix = ((0.4125, 0.3576, 0.1804), (0.2127, 0.7152, 0.0722), (0.0193, 0.1192, 0.9503))
WHITE = (0.9505, 1.0, 1.0888)
INKS = (*KNOWN.values(), *OTHERS)


def linear(colour: str) -> Vector:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return red, green, blue


def times(matrix: Matrix, vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def lab(light: Vector) -> Vector:
    ratios = (v / w for v, w in zip(times(XYZ, light), WHITE, strict=True))
    x, y, z = (max(r, 0) ** (1 / 3) if r > 0.008856 else 7.787 * r + 16 / 116 for r in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: str, other: str, sight: str) -> float:
    seen = (lab(times(SIGHTS[sight], linear(colour))) for colour in (one, other))
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


def contrast(one: str, other: str) -> float:
    low, high = sorted(
        0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (one, other))
    )
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
def test_any_two_designs_differ_for_every_sight(sight: str) -> None:
    for one, other in combinations(INKS, 2):
        if one.dashes != other.dashes:
            continue
        assert difference(one.light, other.light, sight) >= 20
        assert difference(one.dark, other.dark, sight) >= 20


def test_colours_are_the_same_or_clearly_different() -> None:
    for one, other in combinations({ink.light for ink in INKS}, 2):
        assert all(difference(one, other, sight) >= 20 for sight in SIGHTS)


def test_the_measure_knows_colours_that_are_confused() -> None:
    assert difference("#c4410c", "#9a7d0a", "deutan") < 10


def test_every_ink_stands_out_from_its_ground() -> None:
    for ink in INKS:
        assert contrast(ink.light, LIGHT_GROUND) >= 3
        assert contrast(ink.dark, DARK_GROUND) >= 3


def test_a_design_has_one_ink_whatever_stands_beside_it() -> None:
    alone, beside = inks(["pooled"]), inks(["naive", "mine", "pooled"])
    assert alone["pooled"] == beside["pooled"] == KNOWN["pooled"]
    assert beside["mine"] == OTHERS[0]


def test_ten_designs_of_one_scenario_have_a_colour_each() -> None:
    found = inks([f"design {number}" for number in range(10)]).values()
    assert len({ink.light for ink in found}) == len({ink.dark for ink in found}) == 10


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_ten_designs_beside_the_known_ones_are_told_apart_by_every_sight(ground: str) -> None:
    shown = [*KNOWN.values(), *OTHERS[:10]]
    nearest = {
        sight: min(
            difference(getattr(one, ground), getattr(other, ground), sight)
            for one, other in combinations(shown, 2)
        )
        for sight in SIGHTS
    }
    assert min(nearest.values()) >= 20, nearest  # thirteen: as far as a search could put them
    alike = [pair for pair in combinations(shown, 2) if pair[0].dashes == pair[1].dashes]
    for one, other in alike:  # where the dashes do not tell, the colours lie further apart
        assert all(difference(getattr(one, ground), getattr(other, ground), s) > 22 for s in SIGHTS)


def test_no_ink_looks_black_on_paper_or_white_on_the_dark_ground() -> None:
    for ink in INKS:
        assert lab(linear(ink.light))[0] >= 25
        assert lab(linear(ink.dark))[0] <= 97
        assert difference(ink.dark, "#ffffff", "normal") >= 20

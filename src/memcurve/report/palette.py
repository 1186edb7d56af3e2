"""One colour for each design, the same in every picture, on light and on dark ground.

The colours were chosen by search: any two stay at least 20 apart (CIE76) for normal, protan,
deutan and tritan sight, and every one has a contrast of 3 or more against its ground. Ten designs
beside the known ones have a colour each, none of them nearly black; those that share one differ in
their dashes, and so do those whose colours are most alike. A test computes the distances. Labels
stand at the lines, so that no reading needs colour.
"""

import msgspec


class Ink(msgspec.Struct, frozen=True, kw_only=True):
    """How one design is drawn: colours as ``#rrggbb``, dashes in points (empty: solid)."""

    light: str
    dark: str
    dashes: tuple[float, ...] = ()
    width: float = 1.8


LIGHT_GROUND, DARK_GROUND = "#ffffff", "#14181d"

KNOWN = {
    "naive": Ink(light="#d55e00", dark="#ff8a5c"),
    "published": Ink(light="#87225e", dark="#ebadc6", dashes=(5, 2)),
    "pooled": Ink(light="#0072b2", dark="#5aa9f8", width=2.4),
}
_DASHES = ((), (7, 2, 1.5, 2), (2, 1.5), (9, 3))
_SPARE = (
    ("#559977", "#b8ffb8", 0),
    ("#aa44ff", "#96c300", 2),
    ("#991100", "#d24b0f", 3),
    ("#0000ff", "#8a6dff", 2),
    ("#ff22dd", "#ff1eb4", 1),
    ("#bb7744", "#f4ef5a", 3),
    ("#333399", "#00ffff", 3),
    ("#664433", "#b4a587", 2),
    ("#aa88aa", "#b400b4", 3),
    ("#1122bb", "#4b6987", 0),
)
"""Light, dark, and the number of the dashes that it begins with."""
OTHERS = tuple(
    Ink(light=light, dark=dark, dashes=_DASHES[(first + turn) % len(_DASHES)])
    for turn in range(len(_DASHES))
    for light, dark, first in _SPARE
)


def inks(designs: list[str]) -> dict[str, Ink]:
    """Give each design its ink: the known ones theirs, the others the rest in order."""
    unknown = [name for name in dict.fromkeys(designs) if name not in KNOWN]
    spare = {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(unknown)}
    return {name: KNOWN.get(name) or spare[name] for name in designs}

"""One colour for each design, the same in every picture, on light and on dark ground.

The colours were chosen by search: any two stay at least 20 apart (CIE76) for normal, protan,
deutan and tritan sight, and every one has a contrast of 3 or more against its ground. Designs that
share a colour differ in their dashes. A test holds that. Labels stand at the lines, so that no
reading needs colour.
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
_SPARE = (
    ("#564915", "#f4ef5a"),
    ("#b87a6b", "#b8ffb8"),
    ("#7a3ff2", "#8a6dff"),
)
_DASHES = ((), (7, 2, 1.5, 2), (2, 1.5), (9, 3))
OTHERS = tuple(
    Ink(light=light, dark=dark, dashes=dashes) for dashes in _DASHES for light, dark in _SPARE
)


def inks(designs: list[str]) -> dict[str, Ink]:
    """Give each design its ink: the known ones theirs, the others the rest in order."""
    unknown = [name for name in dict.fromkeys(designs) if name not in KNOWN]
    spare = {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(unknown)}
    return {name: KNOWN.get(name) or spare[name] for name in designs}

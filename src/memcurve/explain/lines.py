"""Find the line that leaves memory behind, from what each line gained over many calls.

Gains are inclusive along the chain of calls. From the outermost line inwards, the line is followed
whose gain comes nearest to the judged growth; it ends where a line's own gain is most of it. What a
line allocates and another frees cancels in the lines above both.
"""

from typing import Any

import msgspec

from memcurve.findings import Site

OWN_SHARE = 0.5
LEAST_SHARE = 0.3

_Chain = tuple[tuple[str, str, int], ...]


class _Gain(msgspec.Struct):
    python: int = 0
    malloc: int = 0

    @property
    def total(self) -> int:
        return self.python + self.malloc


def growing_line(counted: dict[str, Any], bytes_per_call: float) -> Site | None:
    """Return the line that gains what a call leaves behind; None if no line gains that much."""
    calls = max(counted["calls"], 1)
    own, whole = _gains(counted["stacks"])
    wanted = bytes_per_call * calls
    chain: _Chain = ()
    while True:
        below = [key for key in whole if len(key) == len(chain) + 1 and key[1:] == chain]
        fit = [key for key in below if whole[key].total >= LEAST_SHARE * wanted]
        if not fit:
            break
        chain = min(fit, key=lambda key: abs(whole[key].total - wanted))
        if chain in own and own[chain].total >= OWN_SHARE * wanted:
            break
    return _site(chain, whole[chain], calls) if chain else None


def _gains(rows: list[Any]) -> tuple[dict[_Chain, _Gain], dict[_Chain, _Gain]]:
    """Return the gains of each line itself, and with all that it calls; chains go outwards."""
    own: dict[_Chain, _Gain] = {}
    whole: dict[_Chain, _Gain] = {}
    for frames, python, size, _ in rows:
        chain = tuple((f[0], f[1], f[2]) for f in frames)
        _add(own.setdefault(chain, _Gain()), python, size)
        for start in range(len(chain)):
            _add(whole.setdefault(chain[start:], _Gain()), python, size)
    return own, whole


def _add(gain: _Gain, python: bool, size: int) -> None:
    if python:
        gain.python += size
    else:
        gain.malloc += size


def _site(chain: _Chain, gain: _Gain, calls: int) -> Site:
    return Site(
        site=f"{chain[0][1]}:{chain[0][2]}",
        function=chain[0][0],
        bytes_per_call=gain.total / calls,
        blocks_per_call=0.0,
        native=gain.malloc > gain.python,
        stack=tuple(f"{filename}:{line}" for _, filename, line in chain),
    )

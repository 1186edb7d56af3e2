"""One counter over the calls of one pass."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise

import msgspec


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Values of `counter` after certain calls.

    `calls` rise strictly and start at 0, the state before the first call; `values` stand beside
    them. Rows are denser where sampling was cheap, so nothing may assume one row a call.
    """

    counter: str
    calls: tuple[int, ...]
    values: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.calls, self.values, strict=True))

    @property
    def last_call(self) -> int:
        """The number of the last call with a row."""
        return self.calls[-1] if self.calls else 0

    def grown(self) -> "Curve":
        """Return the curve with its first value taken off all of them."""
        first = self.values[0] if self.values else 0
        return msgspec.structs.replace(self, values=tuple(v - first for v in self.values))

    def tail(self, from_call: int) -> "Curve":
        """Return the rows from call `from_call` on."""
        start = bisect_left(self.calls, from_call)
        return msgspec.structs.replace(self, calls=self.calls[start:], values=self.values[start:])

    def head(self, to_call: int) -> "Curve":
        """Return the rows up to and with call `to_call`."""
        stop = bisect_right(self.calls, to_call)
        return msgspec.structs.replace(self, calls=self.calls[:stop], values=self.values[:stop])

    def at(self, call: int) -> int:
        """Return the value of the last row not after `call`; raises IndexError without one."""
        row = bisect_right(self.calls, call) - 1
        if row < 0:
            raise IndexError(f"{self.counter} has no row up to call {call}")
        return self.values[row]

    def rate(self, first: int, last: int) -> float:
        """Return the rise a call between two calls, from the rows at their ends; 0 without two."""
        part = self.tail(first).head(last)
        if len(part) < 2:
            return 0.0
        return (part.values[-1] - part.values[0]) / max(part.last_call - part.calls[0], 1)

    def kept(self) -> "Curve":
        """Return what is never given back: at each row the least value from there on."""
        least: list[int] = []
        for value in reversed(self.values):
            least.append(value if not least or value < least[-1] else least[-1])
        return msgspec.structs.replace(self, values=tuple(reversed(least)))

    def steps(self) -> list[tuple[int, int]]:
        """Return (call, rise) for each row whose value differs from that of the row before."""
        pairs = pairwise(zip(self.calls, self.values, strict=True))
        return [(call, value - before) for (_, before), (call, value) in pairs if value != before]

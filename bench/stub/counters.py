"""What the server counts, apart from the connections that only ask for the counts."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OTHER = "other"
GAUGES = ("connections_opened", "connections_open", "connections_peak")
GAUGE_BYTES = 8


class GaugeFile:
    """A mapped file of signed 64-bit integers that others read while the server runs.

    Its size must be that of `GAUGES`; whoever reads it pays no request and opens no connection.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), len(GAUGES) * GAUGE_BYTES)
        self.cells = memoryview(self._map).cast("q")


class Counters:
    """Totals since the last reset; the memory they take does not depend on the traffic.

    What a connection is for shows with its first request. Until then it is silent: it counts as one
    of the application's, and `leave_out` takes it back. It raises the peak once it is confirmed.
    """

    def __init__(self, routes: Iterable[str], gauges: GaugeFile | None = None) -> None:
        self._routes = (*routes, OTHER)
        self._gauges = gauges
        self._open = 0
        self._silent = 0
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Start again from zero; what is open or in flight now stays so and is the new peak."""
        self._opened = 0
        self._peak = self._open
        self._in_flight_peak = self._in_flight
        self._requests = dict.fromkeys(self._routes, 0)
        self._faults = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self._publish()

    def connect(self) -> int:
        """Count a silent connection in; `confirm` wants the number back that this returns."""
        self._open += 1
        self._silent += 1
        self._publish()
        return self._open

    def confirm(self, open_with_it: int) -> None:
        """Count a silent connection as the application's."""
        self._silent -= 1
        self._opened += 1
        self._peak = max(self._peak, open_with_it)
        self._publish()

    def leave_out(self) -> None:
        """Take a silent connection back: it is one that asks for the counts."""
        self._silent -= 1
        self._open -= 1
        self._publish()

    def disconnect(self) -> None:
        self._open -= 1
        self._publish()

    def _publish(self) -> None:
        """Write the gauges where other processes can see them at once."""
        if self._gauges is not None:
            figures = self._connections()
            for position, name in enumerate(GAUGES):
                self._gauges.cells[position] = figures[name]

    def _connections(self) -> dict[str, int]:
        return {
            "connections_opened": self._opened + self._silent,
            "connections_open": self._open,
            "connections_peak": max(self._peak, self._open),
        }

    def begin(self, route: str, fault: bool) -> None:
        self._requests[route if route in self._requests else OTHER] += 1
        self._faults += fault
        self._in_flight += 1
        self._in_flight_peak = max(self._in_flight_peak, self._in_flight)

    def end(self) -> None:
        self._in_flight -= 1

    def to_json(self) -> dict[str, Any]:
        return {
            **self._connections(),
            "requests": self._requests,
            "requests_total": sum(self._requests.values()),
            "requests_in_flight": self._in_flight,
            "requests_in_flight_peak": self._in_flight_peak,
            "faults_total": self._faults,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }

"""What the server counts, apart from the connections that only ask for the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

OTHER = "other"


class Counters:
    """Totals since the last reset; the memory they take does not depend on the traffic.

    What a connection is for shows with its first request. Until then it is silent: it counts as one
    of the application's, and `leave_out` takes it back. It raises the peak once it is confirmed.
    """

    def __init__(self, routes: Iterable[str]) -> None:
        self._routes = (*routes, OTHER)
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

    def connect(self) -> int:
        """Count a silent connection in; `confirm` wants the number back that this returns."""
        self._open += 1
        self._silent += 1
        return self._open

    def confirm(self, open_with_it: int) -> None:
        """Count a silent connection as the application's."""
        self._silent -= 1
        self._opened += 1
        self._peak = max(self._peak, open_with_it)

    def leave_out(self) -> None:
        """Take a silent connection back: it is one that asks for the counts."""
        self._silent -= 1
        self._open -= 1

    def disconnect(self) -> None:
        self._open -= 1

    def begin(self, route: str, fault: bool) -> None:
        self._requests[route if route in self._requests else OTHER] += 1
        self._faults += fault
        self._in_flight += 1
        self._in_flight_peak = max(self._in_flight_peak, self._in_flight)

    def end(self) -> None:
        self._in_flight -= 1

    def to_json(self) -> dict[str, Any]:
        return {
            "connections_opened": self._opened + self._silent,
            "connections_open": self._open,
            "connections_peak": max(self._peak, self._open),
            "requests": self._requests,
            "requests_total": sum(self._requests.values()),
            "requests_in_flight": self._in_flight,
            "requests_in_flight_peak": self._in_flight_peak,
            "faults_total": self._faults,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }

"""Stop asking a host that fails each time, and try it now and then.

1. After `failures` failures in a row a host is not asked for `pause_s`: whoever wants to is refused
   at once, in place of one more timeout.
2. Then one request is let through. When it succeeds all are, when it fails the pause begins again.
3. Connections that cannot be made, timeouts, and 502, 503 and 504 are failures; every other answer
   is a success, 429 too: such a host works.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragpool.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

FAILING_STATUS = frozenset({502, 503, 504})
_MOST_HOSTS = 1000
"""Hosts that fail and are remembered; callers may name hosts, so there must be a bound."""


@dataclass(slots=True)
class _Failing:
    in_a_row: int = 0
    refused_until_s: float = 0.0


class HostBreaker:
    """The rule above, for every host that somebody asks, from any thread."""

    def __init__(
        self, *, failures: int, pause_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failures < 1 or pause_s <= 0:
            raise ConfigurationError(
                "host breaker", [f"failures is {failures}, pause_s {pause_s}; needs >= 1 and > 0"]
            )
        self._failures = failures
        self._pause_s = pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failing: OrderedDict[str, _Failing] = OrderedDict()

    def refusal(self, host: str) -> str | None:
        """Return why a host is not asked now; None lets the request through."""
        with self._lock:
            found = self._failing.get(host)
            if found is None or found.in_a_row < self._failures:
                return None
            left_s = found.refused_until_s - self._clock()
            if left_s > 0:
                return (
                    f"host {host}: {found.in_a_row} failures in a row;"
                    f" it is tried again in {left_s:.1f} s"
                )
            found.refused_until_s = self._clock() + self._pause_s  # for all but this one
            return None

    def note(self, host: str, failed: bool) -> None:
        """Take the outcome of a request into account."""
        with self._lock:
            if not failed:
                self._failing.pop(host, None)
                return
            found = self._failing.setdefault(host, _Failing())
            self._failing.move_to_end(host)
            if len(self._failing) > _MOST_HOSTS:
                self._failing.popitem(last=False)
            found.in_a_row += 1
            found.refused_until_s = self._clock() + self._pause_s
            opened = found.in_a_row == self._failures
        if opened:
            logger.warning(
                "host %s: %d failures in a row; not asked for %g s",
                host,
                self._failures,
                self._pause_s,
            )

    def paused(self) -> tuple[str, ...]:
        """Return the hosts that are refused at this moment."""
        with self._lock:
            now_s = self._clock()
            return tuple(
                host
                for host, one in self._failing.items()
                if one.in_a_row >= self._failures and one.refused_until_s > now_s
            )

"""Show how far a run is: a live line on a terminal, plain lines or nothing elsewhere."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from memcurve.model.units import format_count, format_duration

if TYPE_CHECKING:
    from memcurve.run.lanes import Event, Progress
    from memcurve.run.passes import Progress as PassProgress

EVERY_S = 0.2
PLAIN_EVERY_S = 5.0
"""Between lines off a terminal: half of what a check may take without being asked for more."""


@contextlib.contextmanager
def shown(quiet: bool) -> Iterator["Progress | None"]:
    """Give what a run of scenarios tells its progress to, None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        estimate = Estimate()
        with _live() as show:
            yield lambda event: show(line(event, estimate.left_s(event)))
    else:
        yield _plain()


@contextlib.contextmanager
def one_line(
    quiet: bool, expected_s: Callable[[float], float] | None = None
) -> Iterator["PassProgress | None"]:
    """Give what a measurement of one target tells its progress to: a line every few seconds.

    `expected_s` tells from the seconds of one call those of the pass that counts them.
    """
    if quiet:
        yield None
        return
    pace = Pace(expected_s, time.monotonic)
    if sys.stderr.isatty():
        with _live() as show:
            yield lambda kind, call: show(pace.line(kind, call))
    else:
        yield _now_and_then(pace)


def line(event: "Event", left_s: float | None) -> str:
    """Return one event as a line: which pass of what, its call, passes done, time left."""
    left = f", about {format_duration(left_s)} left" if left_s is not None else ""
    where = f"{event.scenario}/{event.design} {event.kind}"
    return f"[{event.done}/{event.total}] {where}: call {format_count(event.call)}{left}"


class Pace:
    """Say where the measurement of one target is, and from its second call on how long it takes."""

    def __init__(
        self,
        expected_s: Callable[[float], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected_s, self._clock, self._began = expected_s, clock, clock()
        self._first_done: float | None = None

    def line(self, kind: str, call: int) -> str:
        """Return one line: the pass, its call, the time so far, and what is left of the first."""
        now = self._clock()
        if call > 1 and self._first_done is None:
            self._first_done = now
        left_s = self._left_s(call, now) if kind == "settled" else None
        left = "" if left_s is None else f", about {format_duration(left_s)} left if nothing rises"
        return f"{kind}: call {format_count(call)}, {format_duration(now - self._began)}{left}"

    def _left_s(self, call: int, now: float) -> float | None:
        if self._first_done is None or self._expected_s is None or call < 3:
            return None
        # the first call imports and connects: what it took says nothing of the others
        ran_s = now - self._first_done
        return max(self._expected_s(ran_s / (call - 2)) - (now - self._began), 0.0)


class Estimate:
    """Guess the time that is left from the passes that are done; one that runs counts as half."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._begun: set[tuple[str, str, bool]] = set()

    def left_s(self, event: "Event") -> float | None:
        """Return the seconds left, None while nothing is known."""
        self._begun.add((event.scenario, event.design, event.kind == "natural"))
        if event.done == 0:
            return None
        running = max(len(self._begun) - event.done, 0)
        done = min(event.done + running / 2, event.total)
        return (self._clock() - self._began) / done * (event.total - done)


def _now_and_then(pace: Pace) -> "PassProgress":
    """Return a progress that prints a line every few seconds, for logs."""
    last = time.monotonic()

    def progress(kind: str, call: int) -> None:
        nonlocal last
        text = pace.line(kind, call)
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    return progress


def _plain() -> "Progress":
    """Return a progress that prints one line whenever another pass begins."""
    estimate, seen, lock = Estimate(), set[tuple[str, str, str]](), threading.Lock()

    def progress(event: "Event") -> None:
        key = (event.scenario, event.design, event.kind)
        with lock:
            if key in seen:
                return
            seen.add(key)
            print(line(event, estimate.left_s(event)), file=sys.stderr, flush=True)

    return progress


@contextlib.contextmanager
def _live() -> Iterator[Callable[[str], None]]:
    """Give what replaces one line at the foot of the terminal, from any thread."""
    from rich.console import Console
    from rich.text import Text

    lock, last = threading.Lock(), 0.0
    with Console(stderr=True).status("starting …") as status:

        def show(text: str) -> None:
            nonlocal last
            with lock:
                if time.monotonic() - last >= EVERY_S:
                    last = time.monotonic()
                    status.update(Text(text))

        yield show

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
def one_line(quiet: bool) -> Iterator["PassProgress | None"]:
    """Give what a measurement of one target tells its progress to; None off a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    began = time.monotonic()
    with _live() as show:
        yield lambda kind, call: show(pass_line(kind, call, time.monotonic() - began))


def line(event: "Event", left_s: float | None) -> str:
    """Return one event as a line: which pass of what, its call, passes done, time left."""
    left = f", about {format_duration(left_s)} left" if left_s is not None else ""
    where = f"{event.scenario}/{event.design} {event.kind}"
    return f"[{event.done}/{event.total}] {where}: call {format_count(event.call)}{left}"


def pass_line(kind: str, call: int, elapsed_s: float) -> str:
    """Return where the measurement of one target is: how long it takes, the target decides."""
    return f"{kind}: call {format_count(call)}, {format_duration(elapsed_s)}"


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

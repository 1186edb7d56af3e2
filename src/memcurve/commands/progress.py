"""Show how far a run is: a live line on a terminal, plain lines elsewhere."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

from memcurve.bench import Event, Progress
from memcurve.units import format_duration

EVERY_S = 0.2


@contextlib.contextmanager
def shown(quiet: bool) -> Iterator[Progress | None]:
    """Give what a run reports its progress to, None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _live() as progress:
            yield progress
    else:
        yield _plain()


def line(event: Event, left_s: float | None) -> str:
    """Return one event as a line: which pass of what, its call, passes done, time left."""
    left = f", about {format_duration(left_s)} left" if left_s is not None else ""
    where = f"{event.scenario}/{event.design} {event.kind}"
    return f"[{event.done}/{event.total}] {where}: call {event.call}{left}"


class Estimate:
    """Guess the time that is left from the passes that are done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()

    def left_s(self, event: Event) -> float | None:
        """Return the seconds left, None while nothing is known."""
        if event.done == 0:
            return None
        return (self._clock() - self._began) / event.done * (event.total - event.done)


def _plain() -> Progress:
    """Return a progress that prints one line whenever another pass begins."""
    estimate, seen, lock = Estimate(), set[tuple[str, str, str]](), threading.Lock()

    def progress(event: Event) -> None:
        key = (event.scenario, event.design, event.kind)
        with lock:
            if key in seen:
                return
            seen.add(key)
            print(line(event, estimate.left_s(event)), file=sys.stderr, flush=True)

    return progress


@contextlib.contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console

    console, estimate, lock = Console(stderr=True), Estimate(), threading.Lock()
    last = 0.0
    with console.status("starting …") as status:

        def progress(event: Event) -> None:
            nonlocal last
            with lock:
                if time.monotonic() - last >= EVERY_S:
                    last = time.monotonic()
                    status.update(line(event, estimate.left_s(event)))

        yield progress

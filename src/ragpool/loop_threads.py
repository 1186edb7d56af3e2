"""Worker threads with one long-lived event loop each.

What a job opens on its worker's loop stays for the next job, and closes when the worker ends.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
import time
import warnings
import weakref
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ragpool.errors import ClosedError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Job = Callable[[], Coroutine[Any, Any, Any]]

logger = logging.getLogger(__name__)


class LoopThreads:
    """Run jobs on at most `max_workers` threads, started when they are needed.

    `every_s` and `tick`: what the workers call from time to time, as long as `tick()` is true.
    """

    def __init__(
        self,
        max_workers: int,
        name: str,
        *,
        every_s: float | None = None,
        tick: Callable[[], bool] = lambda: True,
    ) -> None:
        if max_workers < 1:
            raise ConfigurationError(name, [f"max_workers is {max_workers}, needs >= 1"])
        self._crew = _Crew(max_workers, name, every_s, tick)
        weakref.finalize(self, self._crew.stop).atexit = False
        _CREWS.add(self._crew)

    def submit(self, job: Job) -> None:
        """Run `await job()` on a worker's loop; what waits is bounded by whoever submits."""
        self._crew.submit(job)

    @property
    def threads(self) -> int:
        return len(self._crew.workers)

    @property
    def waiting(self) -> int:
        return len(self._crew.waiting)

    def withdraw(self, job: Job) -> None:
        """Forget a job that has not begun."""
        self._crew.withdraw(job)

    def shutdown(self, timeout_s: float | None = None) -> None:
        """End the workers after their present job, and wait; jobs that wait are dropped."""
        for worker in self._crew.stop():
            worker.thread.join(timeout_s)
            self._check_ended(worker, timeout_s)

    async def aclose(self, timeout_s: float | None = None) -> None:
        """Do the same without blocking the event loop; the limit is for all workers together."""
        workers = self._crew.stop()
        if workers:
            ends = [asyncio.wrap_future(worker.ended) for worker in workers]
            await asyncio.wait(ends, timeout=timeout_s)
        for worker in workers:
            if worker.ended.done():
                worker.thread.join()
            self._check_ended(worker, timeout_s)

    @staticmethod
    def _check_ended(worker: _Worker, timeout_s: float | None) -> None:
        if worker.thread.is_alive():
            logger.warning(
                "%s: still busy after %s s; its node blocks the loop, or ignores cancellation",
                worker.thread.name,
                timeout_s,
            )

    def __repr__(self) -> str:
        crew = self._crew
        state = "closed" if crew.stopped else f"{len(crew.workers)} threads"
        return f"<{crew.name}: {state}, {len(crew.waiting)} waiting>"

    def __del__(self) -> None:
        crew = getattr(self, "_crew", None)
        if crew is not None and not crew.stopped and crew.workers:
            warnings.warn(
                f"{crew.name}: forgotten with {len(crew.workers)} threads; call aclose(), or"
                " shutdown() outside a loop",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )


class _Crew:
    """The state that the threads share; they never refer to the `LoopThreads` above it."""

    def __init__(
        self, max_workers: int, name: str, every_s: float | None, tick: Callable[[], bool]
    ) -> None:
        self.name = name
        self.every_s = every_s
        self.tick = tick
        self.stopped = False
        self.waiting: deque[Job] = deque()
        self.workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._max_workers = max_workers
        self._started = 0
        self._lock = threading.Lock()

    def submit(self, job: Job) -> None:
        with self._lock:
            if self.stopped:
                raise ClosedError(self.name)
            self.waiting.append(job)
            if self._idle:
                self._idle.pop().wake()  # the last one to rest: its connections are the freshest
            elif len(self.workers) < self._max_workers:
                self._start_one()

    def withdraw(self, job: Job) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self.waiting.remove(job)

    def take(self, worker: _Worker) -> Job | None:
        """Give the worker its next job, or note that it rests."""
        with self._lock:
            if self.waiting and not self.stopped:
                return self.waiting.popleft()
            self._idle.append(worker)
            return None

    def stop(self) -> list[_Worker]:
        """Tell all workers to end, and return them."""
        with self._lock:
            self.stopped = True
            self.waiting.clear()
            self._idle.clear()
            for worker in self.workers:
                worker.wake()
            return list(self.workers)

    def leave(self, worker: _Worker) -> None:
        """Strike off a worker that ended, by order or by accident."""
        with self._lock:
            self.workers.remove(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            if self.waiting and not self.stopped:
                self._start_one()

    def _start_one(self) -> None:
        worker = _Worker(self, f"{self.name}_{self._started}")
        self._started += 1
        self.workers.append(worker)
        worker.thread.start()


class _Worker:
    """One thread and its loop."""

    def __init__(self, crew: _Crew, name: str) -> None:
        self.ended: Future[None] = Future()
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._crew = crew
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake: asyncio.Event | None = None

    def wake(self) -> None:
        """Have the worker look for work, or for the order to end; the crew's lock is held."""
        if self._loop is not None and self._awake is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed since
                self._loop.call_soon_threadsafe(self._awake.set)

    def _live(self) -> None:
        try:
            asyncio.run(self._serve())  # its end closes all clients of this loop
        finally:
            self._crew.leave(self)
            self.ended.set_result(None)

    async def _serve(self) -> None:
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # one, since langchain-openai reads every reply there; asyncio would start up to 32
        aside = ThreadPoolExecutor(1, thread_name_prefix=f"{self.thread.name}-aside")
        self._loop.set_default_executor(aside)
        self._tick_later()
        while not self._crew.stopped:
            self._awake.clear()
            job = self._crew.take(self)
            if job is None:
                # a stop that came before this loop existed woke nobody
                if not self._crew.stopped:
                    await self._awake.wait()
                continue
            await job()
            del job  # or a resting worker would keep its last execution alive

    def _tick_later(self) -> None:
        if self._crew.every_s is not None:
            asyncio.get_running_loop().call_later(self._crew.every_s, self._tick)

    def _tick(self) -> None:
        if self._crew.tick():
            self._tick_later()


_CREWS: weakref.WeakSet[_Crew] = weakref.WeakSet()
_EXIT_WAIT_S = 2.0


@atexit.register
def _end_all() -> None:
    """End the workers that nobody ended, so that no daemon thread outlives the interpreter."""
    deadline_s = time.monotonic() + _EXIT_WAIT_S
    for worker in [worker for crew in tuple(_CREWS) for worker in crew.stop()]:
        worker.thread.join(max(0.0, deadline_s - time.monotonic()))

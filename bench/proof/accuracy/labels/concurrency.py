"""Threads, descriptors and tasks: given back, or never."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("concurrency")

LABELLED: Final = (
    _of.clean("thread_joined", "threads", "a thread a call, joined"),
    _of.clean("thread_pool", "threads", "four threads, started lazily", still_after=4),
    _of.clean("subprocess_run", "subprocesses", "a process a call, awaited"),
    _of.clean("files_closed", "descriptors", "a file and a socket pair, closed"),
    _of.clean("descriptor_pool", "descriptors", "8 stay open", still_after=8),
    _of.clean(
        "sockets_in_a_cycle",
        "descriptors",
        "two descriptors a call wait for the collector",
    ),
    _of.clean(
        "pure_coroutine",
        "async",
        "five tasks, gathered; asyncio itself warms up for a thousand calls, ever more slowly",
        still_after=1000,
    ),
    _of.clean(
        "background_task_50_ms",
        "async",
        "each call leaves a task that ends 50 ms later",
    ),
    _of.clean("queue_with_worker", "async", "one worker task lives on", still_after=1),
    _of.leak("descriptors_never_closed", "descriptors", "os.open", counter="fds"),
    _of.leak(
        "descriptor_every_10th",
        "descriptors",
        "0.1 descriptors a call, no memory at all",
        period=10,
        counter="fds",
    ),
    _of.leak("sockets_kept", "sockets", "socket objects in a list", counter="fds"),
    _of.leak("threads_never_end", "threads", "daemon threads wait", counter="threads"),
    _of.leak("leak_in_a_thread", "leak in a thread", "the worker thread keeps 800 B"),
    _of.leak("tasks_never_awaited", "tasks", "tasks asleep for 10 h", counter="tasks"),
    _of.leak("tasks_waiting_for_ever", "tasks", "event never set", counter="tasks"),
    _of.leak("results_kept", "async", "a coroutine appends to a list"),
    _of.leak("timers_far_away", "async", "call_later in 10 h: no task"),
    _of.leak("callbacks_on_a_long_lived_future", "async", "add_done_callback"),
)

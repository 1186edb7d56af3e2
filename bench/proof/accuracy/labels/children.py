"""Processes that come and go, pools of them, and what they keep."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("children")

_KIND: Final = "child processes"

LABELLED: Final = (
    _of.clean("process_joined", _KIND, "a forked process a call, joined and closed", followed=2000),
    _of.clean("forked_pool_of_2", _KIND, "two workers for ever"),
    _of.clean("spawned_executor", _KIND, "an interpreter of its own, its heap warms up"),
    _of.clean("forkserver_executor", _KIND, "the worker is a grandchild, below the forkserver"),
    _of.clean("loky_executor", _KIND, "joblib's own executor, started without fork or spawn"),
    _of.clean("joblib_with_two_jobs", _KIND, "workers are reused from call to call"),
    _of.clean("asyncio_subprocess", "subprocesses", "a program a call, awaited", followed=3000),
    _of.clean(
        "cache_of_200_in_a_worker",
        _KIND,
        "the child rises exactly like a leak for 200 calls",
        still_after=200,
        followed=3000,
    ),
    _of.clean(
        "workers_replaced_after_40_jobs",
        _KIND,
        "each worker leaks, and ends after 40 jobs: a sawtooth in the child",
        still_after=40,
        followed=2000,
    ),
    _of.leak("kept_by_a_forked_worker", _KIND, "no byte of the process itself"),
    _of.leak("kept_by_a_spawned_worker", _KIND, "no byte of the process itself"),
    _of.leak("kept_below_a_forkserver", _KIND, "a grandchild keeps it"),
    _of.leak(
        "joblib_begun_anew",
        _KIND,
        "the workers are reused, but joblib registers a function with atexit for each Parallel",
        exact=False,
    ),
    _of.leak("kept_by_loky", _KIND, "joblib's workers keep it"),
    _of.leak("kept_by_a_helper_program", _KIND, "a program that answers through pipes"),
    _of.leak("zombie_every_10th", _KIND, "nobody waits for it", period=10, counter="zombies"),
    _of.leak("process_every_20th", _KIND, "lives for ever", period=20, counter="processes"),
)

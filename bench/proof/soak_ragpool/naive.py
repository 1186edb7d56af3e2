"""Run clean searches with everything built for each, and tell how long each took.

    python -m bench.proof.soak_ragpool.naive

A line on standard input says how many; a line of JSON is the answer, in seconds, and null for one
that failed: clients that langchain-openai shares between loops do. A process of its own, so that
what it leaves behind is not in the memory that is judged.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench import cases
from bench.designs.naive import parts as naive
from ragpool.errors import RagpoolError

AT_MOST_S = 20.0
"""What waits for a loop that is closed waits forever: openai itself gives up after 600 s."""


def main() -> None:
    number = 0
    with ThreadPoolExecutor(cases.AT_A_TIME) as pool:
        for line in sys.stdin:
            wanted = range(number, number := number + int(line))
            print(json.dumps(list(pool.map(_search, wanted))), flush=True)


def _search(number: int) -> float | None:
    try:
        return asyncio.run(_timed(number))
    except (RagpoolError, TimeoutError):
        return None


async def _timed(number: int) -> float:
    # inside the loop: to make a loop, which ragpool's threads do once, is not counted
    began = time.perf_counter()
    async with asyncio.timeout(AT_MOST_S):
        await naive.execute_vectordb_node(cases.node_config(), cases.query(number))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

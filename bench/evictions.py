"""Measure what 20,000 evictions cost, with streams in flight that none of them may cut.

    python -m bench.evictions

Fifty real models, each with a key and so a connection of its own, read answers that the stub writes
slowly. Meanwhile 20,000 clients go through each of three pools: a bare one of empty objects with a
resource each; models of one address, which are empty objects too, since what a vendor's class costs
to make says nothing of a pool; and retrieval clients of an address each, whose HTTP clients are
made and closed. Times are of this process's CPU, making included. Ends with 1 when a stream was cut
or none was left in flight.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bench.stub_server import StubServer
from ragpool import LLMPool, Provider, RAGServicePool
from ragpool.loop_clients import Recipe
from ragpool.pool import LoopPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

EVICTIONS, STREAMS = 20_000, 50
PIECE_S = 1.0
"""Between two pieces of an answer, which has about forty: it outlasts the evictions."""
_TURN = 200
"""The loop gets its turn after so many, as it would between requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the evictions cost, and what became of the streams."""

    cpu_s: dict[str, float]
    evicted: int
    still_in_flight: int
    answers: tuple[str, ...]
    undisturbed: str


def main() -> int:
    """Measure, print, return 0 if no stream was cut."""
    with StubServer() as server:
        found = asyncio.run(measure(server))
    cut = sum(answer != found.undisturbed for answer in found.answers)
    for kind, cpu_s in found.cpu_s.items():
        print(f"{EVICTIONS:,} {kind} through a pool: {cpu_s:.2f} s of CPU")
    print(f"{found.evicted:,} evicted")
    print(f"{len(found.answers)} streams, {found.still_in_flight} in flight at the end, {cut} cut")
    return 1 if cut or not found.still_in_flight else 0


async def measure(server: StubServer) -> Measured:
    """Evict while streams are read; return the figures."""
    bare: LoopPool[int, _Empty] = LoopPool("bare", max_clients=32)
    models, searches = LLMPool(), RAGServicePool()
    models.register_provider("empty", Provider(build=lambda arguments, http: _Empty()))
    undisturbed = "".join([piece async for piece in _pieces(models, server.openai_url, "key-0")])
    server.control(route="/v1", stream_delay_s=PIECE_S)
    readers = [_Reader(models, server.openai_url, f"key-{number}") for number in range(STREAMS)]
    await asyncio.gather(*(reader.began.wait() for reader in readers))
    cpu_s = {
        "empty clients": await _cpu_s(lambda number: bare.acquire(_recipe(number))),
        "models": await _cpu_s(
            lambda number: models.get_llm("empty", f"m{number}", server.openai_url, api_key="key")
        ),
        "retrieval clients": await _cpu_s(
            lambda number: searches.get_client(f"http://127.0.0.1:1/{number}")
        ),
    }
    still_in_flight = sum(not reader.task.done() for reader in readers)
    pools = (bare, models, searches)
    evicted = sum(pool.stats().evicted for pool in pools)
    answers = tuple(await asyncio.gather(*(reader.task for reader in readers)))
    for pool in pools:
        await pool.aclose()
    return Measured(
        cpu_s=cpu_s,
        evicted=evicted,
        still_in_flight=still_in_flight,
        answers=answers,
        undisturbed=undisturbed,
    )


def _recipe(number: int) -> Recipe[int, _Empty]:
    return Recipe(
        key=number,
        endpoint=number,
        open=lambda on_loop: _Nothing(),
        build=lambda lease: _Empty(lease=lease),
    )


class _Nothing:
    """A resource that costs nothing to close."""

    async def aclose(self) -> None:
        """Close nothing."""

    def abandon(self) -> None:
        """Close nothing, without a loop."""


class _Empty(SimpleNamespace):
    """A client that costs nothing to make."""


class _Reader:
    """Reads one answer; the only one who refers to its model while it does."""

    def __init__(self, models: LLMPool, url: str, key: str) -> None:
        self.began = asyncio.Event()
        self.task = asyncio.ensure_future(self._read(models, url, key))

    async def _read(self, models: LLMPool, url: str, key: str) -> str:
        pieces = []
        async for piece in _pieces(models, url, key):
            pieces.append(piece)
            self.began.set()
        return "".join(pieces)


async def _pieces(models: LLMPool, url: str, key: str) -> AsyncIterator[str]:
    model = models.get_llm("openai", "gpt-4o-mini", url, api_key=key)
    async for chunk in model.astream("why"):
        yield str(chunk.text)


async def _cpu_s(make: Callable[[int], object]) -> float:
    began_s = time.process_time()
    for number in range(EVICTIONS):
        make(number)
        if number % _TURN == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return time.process_time() - began_s


if __name__ == "__main__":
    sys.exit(main())

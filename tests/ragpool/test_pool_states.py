"""The pool under any sequence of events: taken, leased, let go, evicted, cleared, collected."""

from __future__ import annotations

import asyncio
import gc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ragpool.loop_clients import Lease, Recipe
from ragpool.pool import LoopPool

MAX_CLIENTS = 2
KEYS = st.sampled_from([(key, endpoint) for key in "abc" for endpoint in "xy"])


class Endpoint:
    """A resource that knows whether it is open."""

    def __init__(self) -> None:
        self.is_open = True

    async def aclose(self) -> None:
        self.is_open = False

    def abandon(self) -> None:
        self.is_open = False


class Client:
    """A client that keeps its resource open by its lease."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease

    @property
    def is_open(self) -> bool:
        resource = self.lease.resource
        assert isinstance(resource, Endpoint)
        return resource.is_open


def recipe(key: tuple[str, str]) -> Recipe[tuple[str, str], Client]:
    return Recipe(key=key, endpoint=key[1], open=lambda on_loop: Endpoint(), build=Client)


class PoolMachine(RuleBasedStateMachine):
    """Two loops in alternation, and callers that hold what they were given as long as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.pool: LoopPool[tuple[str, str], Client] = LoopPool("test", max_clients=MAX_CLIENTS)
        self.loops = [asyncio.new_event_loop(), asyncio.new_event_loop()]
        self.held: list[tuple[int, tuple[str, str], Client]] = []
        self.leases: list[tuple[int, object, Client]] = []

    @rule(loop=st.sampled_from([0, 1]), key=KEYS)
    def take(self, loop: int, key: tuple[str, str]) -> None:
        async def use() -> Client:
            return self.pool.acquire(recipe(key))

        client = self.loops[loop].run_until_complete(use())
        for other_loop, other_key, other in self.held:
            # the same configuration on the same loop is the same client, while somebody has it
            assert (other is client) == ((other_loop, other_key) == (loop, key))
        self.held.append((loop, key, client))

    @rule(loop=st.sampled_from([0, 1]), key=KEYS)
    def lease(self, loop: int, key: tuple[str, str]) -> None:
        block = self.pool.lease(recipe(key))
        client = self.loops[loop].run_until_complete(block.__aenter__())
        self.leases.append((loop, block, client))

    @rule(data=st.data())
    def end_a_lease(self, data: st.DataObject) -> None:
        if self.leases:
            number = data.draw(st.integers(0, len(self.leases) - 1))
            loop, block, _ = self.leases.pop(number)
            self.loops[loop].run_until_complete(block.__aexit__(None, None, None))  # type: ignore[attr-defined]

    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        if self.held:
            self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))

    @rule()
    def clear(self) -> None:
        self.pool.clear()

    @rule()
    def collect(self) -> None:
        gc.collect(0)

    @invariant()
    def nobody_has_a_closed_client(self) -> None:
        self._turn()
        assert all(client.is_open for _, _, client in self.held)
        assert all(client.is_open for _, _, client in self.leases)

    @invariant()
    def the_bounds_hold(self) -> None:
        self._turn()
        stats = self.pool.stats()
        assert stats.clients <= MAX_CLIENTS * len(self.loops)
        in_use = {(loop, id(client.lease.resource)) for loop, _, client in self.held + self.leases}
        assert stats.open <= len(in_use) + stats.clients

    def teardown(self) -> None:
        held, leases = [one[2] for one in self.held], [one[2] for one in self.leases]
        for loop in self.loops:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        assert not any(client.is_open for client in held + leases)
        assert self.pool.stats().open == 0

    def _turn(self) -> None:
        """Let both loops do what they have been told to: schedule, then close."""

        async def turn() -> None:
            await asyncio.sleep(0)  # what was scheduled before this has started its tasks now
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

        for loop in self.loops:
            loop.run_until_complete(turn())


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

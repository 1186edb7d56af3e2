"""The pool of clients for each event loop, with resources that only record what happens to them."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ragpool.errors import ClosedError, ConfigurationError
from ragpool.loop_clients import Recipe
from ragpool.pool import LoopPool
from tests.waiting import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragpool.loop_clients import Lease


class Recorder:
    """A resource that records how it was closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed.append("closed")

    def abandon(self) -> None:
        self.closed.append("abandoned")


class Client:
    """A pooled client: it keeps its resource open as long as it lives."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease

    @property
    def resource(self) -> Recorder:
        assert isinstance(self.lease.resource, Recorder)
        return self.lease.resource


def recipe(key: str, endpoint: str | None = None) -> Recipe[str, Client]:
    def open_one(on_loop: bool) -> Recorder:
        return Recorder()

    return Recipe(key=key, endpoint=endpoint or key, open=open_one, build=Client)


Pool = LoopPool[str, Client]
MAX_CLIENTS = 2
IN_USE_AND_KEPT = 1 + MAX_CLIENTS


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool("test", max_clients=MAX_CLIENTS)
    yield pool
    pool.clear()


def get(pool: Pool, key: str) -> Client:
    return pool.acquire(recipe(key))


def test_the_same_key_gives_the_same_client_on_one_loop(pool: Pool) -> None:
    async def twice() -> bool:
        return get(pool, "a") is get(pool, "a")

    assert asyncio.run(twice())
    assert (pool.stats().created, pool.stats().reused) == (1, 1)


def test_every_loop_gets_its_own_client(pool: Pool) -> None:
    async def resource() -> Recorder:
        return get(pool, "a").resource

    assert asyncio.run(resource()) is not asyncio.run(resource())


def test_asyncio_run_closes_the_clients_in_its_end(pool: Pool) -> None:
    async def use() -> Recorder:
        return get(pool, "a").resource

    assert asyncio.run(use()).closed == ["closed"]
    assert pool.stats().open == 0


def test_asyncio_run_closes_them_even_when_its_coroutine_fails(pool: Pool) -> None:
    resources: list[Recorder] = []

    async def fail() -> None:
        resources.append(get(pool, "a").resource)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(fail())
    assert resources[0].closed == ["closed"]


def test_a_loop_closed_without_a_hook_has_its_sockets_closed_and_a_warning(pool: Pool) -> None:
    async def use() -> Recorder:
        return get(pool, "a").resource

    loop = asyncio.new_event_loop()
    resource = loop.run_until_complete(use())
    assert resource.closed == []
    with pytest.warns(ResourceWarning, match=r"event loop closed with 1 .* use asyncio\.run"):
        loop.close()
    assert resource.closed == ["abandoned"]
    assert pool.stats().open == 0


def test_a_loop_closed_after_shutdown_asyncgens_is_silent(pool: Pool) -> None:
    async def use() -> Recorder:
        return get(pool, "a").resource

    loop = asyncio.new_event_loop()
    resource = loop.run_until_complete(use())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert resource.closed == ["closed"]


def test_the_pool_keeps_neither_a_dead_loop_nor_its_clients_alive(pool: Pool) -> None:
    async def use() -> weakref.ref[Client]:
        client = get(pool, "a")
        # as real clients do: their sockets refer to the loop
        client.resource.loop = asyncio.get_running_loop()  # type: ignore[attr-defined]
        return weakref.ref(client)

    loop = asyncio.new_event_loop()
    client, dead = loop.run_until_complete(use()), weakref.ref(loop)
    with pytest.warns(ResourceWarning):
        loop.close()
    del loop
    gc.collect()
    assert (dead(), client()) == (None, None)
    assert pool.stats().loops == 0


def test_eviction_closes_a_client_that_nobody_uses(pool: Pool) -> None:
    async def use() -> list[str]:
        first = get(pool, "a").resource
        get(pool, "b")
        get(pool, "c")
        await reached(lambda: bool(first.closed))
        return first.closed

    assert asyncio.run(use()) == ["closed"]
    assert pool.stats().evicted == 1


def test_eviction_closes_no_client_under_its_user(pool: Pool) -> None:
    async def use() -> tuple[list[str], list[str]]:
        client = get(pool, "a")
        resource = client.resource
        for key in "bcdef":
            get(pool, key)
        await reached(lambda: pool.stats().open == IN_USE_AND_KEPT)
        while_used = list(resource.closed)
        del client
        await reached(lambda: bool(resource.closed))
        return while_used, list(resource.closed)

    assert asyncio.run(use()) == ([], ["closed"])


def test_an_evicted_client_still_in_use_is_found_again(pool: Pool) -> None:
    async def use() -> bool:
        client = get(pool, "a")
        for key in "bcdef":
            get(pool, key)
        return get(pool, "a") is client

    assert asyncio.run(use())


def test_a_lease_keeps_the_resource_open_for_its_block(pool: Pool) -> None:
    async def use() -> tuple[list[str], list[str]]:
        async with pool.lease(recipe("a")) as client:
            resource = client.resource
            del client  # the lease is the block's, not the client's
            for key in "bcdef":
                get(pool, key)
            await reached(lambda: pool.stats().open == IN_USE_AND_KEPT)
            inside = list(resource.closed)
        await reached(lambda: bool(resource.closed))
        return inside, list(resource.closed)

    assert asyncio.run(use()) == ([], ["closed"])


def test_a_lease_ends_once(pool: Pool) -> None:
    async def use() -> list[str]:
        client, other = get(pool, "a"), pool.acquire(recipe("b", "a"))
        resource = client.resource
        client.lease.release()
        client.lease.release()
        pool.clear()
        del client
        get(pool, "c")
        get(pool, "d")
        get(pool, "e")
        await reached(lambda: pool.stats().open == IN_USE_AND_KEPT)
        assert other.resource is resource
        return list(resource.closed)

    assert asyncio.run(use()) == []


def test_clients_that_share_a_resource_close_it_with_the_last_of_them(pool: Pool) -> None:
    async def use() -> tuple[bool, list[str], list[str]]:
        one = pool.acquire(recipe("one", "shared"))
        two = pool.acquire(recipe("two", "shared"))
        resource, same = one.resource, one.resource is two.resource
        other = get(pool, "other").resource
        pool.clear()
        del one
        await reached(lambda: bool(other.closed))
        after_one = list(resource.closed)
        del two
        await reached(lambda: bool(resource.closed))
        return same, after_one, list(resource.closed)

    assert asyncio.run(use()) == (True, [], ["closed"])


def test_the_bound_holds_on_every_loop(pool: Pool) -> None:
    async def use() -> int:
        for number in range(100):
            get(pool, str(number))
        await reached(lambda: pool.stats().open <= MAX_CLIENTS)
        return pool.stats().open

    assert asyncio.run(use()) == MAX_CLIENTS


def test_many_threads_without_a_loop_make_exactly_one_client(pool: Pool) -> None:
    barrier = threading.Barrier(16)

    def ask(_: int) -> Client:
        barrier.wait()
        return get(pool, "a")

    with ThreadPoolExecutor(16) as threads:
        clients = set(threads.map(ask, range(16)))
    assert len(clients) == 1
    assert pool.stats().created == 1


def test_many_tasks_of_one_loop_make_exactly_one_client(pool: Pool) -> None:
    async def ask() -> Client:
        return get(pool, "a")

    async def all_at_once() -> int:
        return len(set(await asyncio.gather(*(ask() for _ in range(50)))))

    assert asyncio.run(all_at_once()) == 1


def test_aclose_closes_the_clients_of_all_loops_and_may_be_repeated() -> None:
    pool = Pool("test", max_clients=MAX_CLIENTS)
    ready, done = threading.Event(), threading.Event()
    elsewhere: list[Recorder] = []

    async def other_loop() -> None:
        elsewhere.append(get(pool, "a").resource)
        ready.set()
        await asyncio.get_running_loop().run_in_executor(None, done.wait)

    async def owner() -> list[Recorder]:
        here = get(pool, "a").resource
        await pool.aclose()
        await pool.aclose()
        return [here, *elsewhere]

    thread = threading.Thread(target=asyncio.run, args=(other_loop(),))
    thread.start()
    assert ready.wait(10)
    resources = asyncio.run(owner())
    closed = [list(resource.closed) for resource in resources]
    done.set()
    thread.join()
    assert closed == [["closed"], ["closed"]]
    with pytest.raises(ClosedError, match="pool 'test': closed"):
        get(pool, "a")


def test_a_forgotten_pool_warns_and_closes_what_it_held() -> None:
    pool = Pool("test", max_clients=MAX_CLIENTS)
    resource = get(pool, "a").resource
    with pytest.warns(ResourceWarning, match="pool 'test': forgotten with 1 clients on 1 loops"):
        del pool
    assert resource.closed == ["abandoned"]


def test_a_cleared_pool_is_forgotten_silently() -> None:
    pool = Pool("test", max_clients=MAX_CLIENTS)
    resource = get(pool, "a").resource
    pool.clear()
    assert resource.closed == ["abandoned"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del pool
        gc.collect()


def test_a_client_left_by_another_thread_closes_on_its_own_loop(pool: Pool) -> None:
    async def use() -> tuple[list[str], bool]:
        client = get(pool, "a")
        resource, box = client.resource, [client]
        del client
        pool.clear()
        thread = threading.Thread(target=box.clear)
        thread.start()
        thread.join()
        before = not resource.closed
        await reached(lambda: bool(resource.closed))
        return resource.closed, before

    assert asyncio.run(use()) == (["closed"], True)


def test_a_client_may_be_built_of_another_of_the_same_pool(pool: Pool) -> None:
    inner = recipe("inner")

    def build(lease: Lease) -> Client:
        pool.acquire(inner)
        return Client(lease)

    outer = Recipe(key="outer", endpoint="outer", open=inner.open, build=build)
    assert pool.acquire(outer) is pool.acquire(outer)
    assert pool.stats().clients == 2


def test_a_client_given_up_while_another_is_built_closes_after_that(pool: Pool) -> None:
    box = [get(pool, "old")]
    resource = box[0].resource
    pool.clear()

    def build(lease: Lease) -> Client:
        box.clear()  # as a collection does, in the middle of anything
        assert resource.closed == []
        return Client(lease)

    new = recipe("new")
    pool.acquire(Recipe(key="new", endpoint="new", open=new.open, build=build))
    assert resource.closed == ["abandoned"]


def test_a_pool_without_room_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_clients is 0, needs >= 1"):
        Pool("test", max_clients=0)


def test_repr_tells_the_state_of_the_moment(pool: Pool) -> None:
    client = get(pool, "a")
    assert repr(pool) == "<pool 'test': 1 clients on 1 loops, 1 created, 0 reused>"
    assert client.resource.closed == []

"""The retrieval client and its pool: answers, errors, retries and time-outs, without sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from ragpool import (
    CollectionNotFoundError,
    ConfigurationError,
    Document,
    RAGServiceClient,
    RAGServicePool,
    RetrievalError,
    RetrievalTimeoutError,
)
from ragpool.limits import CLIENT_CONNECTIONS
from tests.ragpool.conftest import left_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stub_server import StubServer

URL = "http://rag.test"
FOUND = {
    "id": "d1",
    "collection": "docs",
    "text": "text",
    "score": 0.5,
    "metadata": {"source": "a"},
}
REPLY = {"collection": "docs", "query": "q", "documents": [FOUND]}


class Waits:
    """A sleep that only notes how long it was asked to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL) as router:
        yield router


def search(waits: Waits | None = None, **options: Any) -> tuple[Document, ...]:
    async def run() -> tuple[Document, ...]:
        sleep = waits if waits is not None else Waits()
        async with RAGServiceClient(URL, sleep=sleep, **options) as client:
            return await client.search("docs", "q", top_k=3)

    return asyncio.run(run())


def test_a_search_returns_typed_documents(router: respx.MockRouter) -> None:
    route = router.post("/search").respond(json=REPLY)
    expected = Document(
        id="d1", collection="docs", text="text", score=0.5, metadata={"source": "a"}
    )
    assert search() == (expected,)
    assert route.calls.last.request.content == b'{"collection":"docs","query":"q","top_k":3}'


def test_an_unknown_collection_is_an_error_of_its_own(router: respx.MockRouter) -> None:
    route = router.post("/search").respond(404, json={"error": "no such collection"})
    with pytest.raises(CollectionNotFoundError, match="collection 'docs' not found") as info:
        search()
    assert (info.value.collection, info.value.status, route.call_count) == ("docs", 404, 1)


@pytest.mark.parametrize("failure", [httpx.Response(503), httpx.ConnectError("refused")])
def test_a_passing_failure_is_tried_again_after_a_wait(
    router: respx.MockRouter, failure: Any
) -> None:
    router.post("/search").side_effect = [failure, httpx.Response(200, json=REPLY)]
    waits = Waits()
    assert len(search(waits)) == 1
    assert len(waits.seconds) == 1
    assert 0 <= waits.seconds[0] <= 2.0


def test_a_lasting_server_error_is_raised_after_the_last_attempt(
    router: respx.MockRouter,
) -> None:
    route = router.post("/search").respond(500)
    with pytest.raises(RetrievalError, match="answered 500 on every attempt") as info:
        search(attempts=4)
    assert (route.call_count, info.value.status) == (4, 500)


def test_a_lasting_connection_error_names_its_cause(router: respx.MockRouter) -> None:
    route = router.post("/search").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(RetrievalError, match=r"ConnectError: refused; is the service running"):
        search()
    assert route.call_count == 3


def test_a_time_out_is_an_error_of_its_own_with_its_cause(router: respx.MockRouter) -> None:
    router.post("/search").mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(RetrievalTimeoutError, match=r"no answer within 1\.5 s") as info:
        search(timeout_s=1.5)
    assert isinstance(info.value.__cause__, httpx.ReadTimeout)


def test_a_refused_request_is_not_tried_again(router: respx.MockRouter) -> None:
    route = router.post("/search").respond(422, text="top_k: too large")
    with pytest.raises(RetrievalError, match="answered 422: top_k: too large"):
        search()
    assert route.call_count == 1


@pytest.mark.parametrize("body", [b"not json", b'{"documents": [{"id": 1}]}', b"[]", b"{}"])
def test_an_answer_of_another_shape_is_a_clear_error(router: respx.MockRouter, body: bytes) -> None:
    router.post("/search").respond(content=body)
    with pytest.raises(RetrievalError, match="answer not understood"):
        search()


def test_health_passes_when_the_service_is_well(router: respx.MockRouter) -> None:
    router.get("/health").respond(json={"status": "ok"})

    async def check() -> None:
        async with RAGServiceClient(URL) as client:
            await client.check_health()

    asyncio.run(check())


def test_the_base_url_comes_from_the_environment_when_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAGPOOL_RAG_BASE_URL", "http://from.test/rag/")
    client = RAGServiceClient()
    assert client.base_url == "http://from.test/rag"
    asyncio.run(client.aclose())


@pytest.mark.parametrize("options", [{"attempts": 0}, {"timeout_s": 0}])
def test_settings_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="RAGServiceClient"):
        RAGServiceClient(URL, **options)


def test_repr_shows_the_state_and_hides_the_password() -> None:
    client = RAGServiceClient("http://user:secret@rag.test")
    assert repr(client) == "<retrieval client http://rag.test: open>"
    asyncio.run(client.aclose())
    assert repr(client).endswith("closed>")


def test_the_pool_gives_one_client_for_each_service() -> None:
    pool = RAGServicePool()

    async def clients() -> tuple[bool, bool]:
        same = pool.get_client(URL) is pool.get_client(f"{URL}/")
        return same, pool.get_client("http://other.test") is pool.get_client(URL)

    assert asyncio.run(clients()) == (True, False)
    assert pool.stats().open == 0


def test_pooled_searches_use_one_connection(server: StubServer) -> None:
    pool = RAGServicePool()

    async def many() -> None:
        for _ in range(5):
            async with pool.lease(server.rag_url) as client:
                await client.search("docs", "query")

    asyncio.run(many())
    assert server.stats()["connections_opened"] == 1
    assert left_open(server) == 0


def test_a_client_from_outside_a_loop_serves_every_loop(server: StubServer) -> None:
    pool = RAGServicePool()
    client = pool.get_client(server.rag_url)
    for _ in range(3):
        assert asyncio.run(client.search("docs", "query", top_k=2))
    assert left_open(server) == 0
    pool.clear()


def test_cancelled_searches_give_their_connections_back(server: StubServer) -> None:
    async def cancel_after(client: RAGServiceClient, turns: int) -> None:
        task = asyncio.create_task(client.search("docs", "query"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    async def use() -> tuple[int, int]:
        async with RAGServiceClient(server.rag_url) as client:
            for turns in range(40):  # every point at which a search can be interrupted
                await asyncio.gather(*(cancel_after(client, turns) for _ in range(4)))
            # what a lost connection would take away from: one place for each search at a time
            searches = (client.search("docs", f"query {n}") for n in range(CLIENT_CONNECTIONS))
            found = await asyncio.gather(*searches)
            return len(found), server.stats()["connections_peak"]

    found, peak = asyncio.run(use())
    assert found == CLIENT_CONNECTIONS
    assert peak <= CLIENT_CONNECTIONS
    assert left_open(server) == 0


def test_a_forgotten_client_warns() -> None:
    client = RAGServiceClient(URL)
    with pytest.warns(ResourceWarning, match="retrieval client http://rag.test: open>: forgotten"):
        del client

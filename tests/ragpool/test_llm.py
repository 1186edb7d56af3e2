"""The pool of language models: keys, sharing, secrets, and who closes what."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from pydantic import SecretStr

from ragpool import ConfigurationError, LLMPool, Provider, UnknownProviderError
from ragpool.transports import LLMHttp, tls_context
from tests.ragpool.conftest import left_open
from tests.waiting import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stub_server import StubServer

SECRET = "sk-very-secret"


@pytest.fixture
def pool() -> Iterator[LLMPool]:
    pool = LLMPool()
    yield pool
    pool.clear()


def openai(pool: LLMPool, **options: Any) -> Any:
    return pool.get_llm("openai", "gpt-4o-mini", **({"api_key": SECRET} | options))


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_same_configuration_gives_the_same_instance(pool: LLMPool, provider: str) -> None:
    def model() -> Any:
        return pool.get_llm(provider, "some-model", "http://127.0.0.1:1", 0.3, api_key=SECRET)

    assert model() is model()


@pytest.mark.parametrize(
    "option",
    [
        {"temperature": 0.7},
        {"base_url": "http://127.0.0.1:2/v1"},
        {"api_key": "another"},
        {"max_tokens": 5},
        {"timeout": 3.0},
        {"default_headers": {"x-team": "a"}},
        {"model_kwargs": {"anything": 1}},
        {"stop": ["x", "y"]},
        {"max_retries": 0},
    ],
)
def test_every_option_that_changes_the_client_is_part_of_the_key(
    pool: LLMPool, option: dict[str, Any]
) -> None:
    assert openai(pool, **option) is not openai(pool)
    assert openai(pool, **option) is openai(pool, **option)


def test_no_separator_in_a_name_makes_two_configurations_one(pool: LLMPool) -> None:
    one = pool.get_llm("openai", "a:b", "c", api_key=SECRET)
    other = pool.get_llm("openai", "a", "b:c", api_key=SECRET)
    assert one is not other


def test_a_changed_key_in_the_environment_is_another_configuration(
    pool: LLMPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    first = pool.get_llm("openai", "gpt-4o-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    assert pool.get_llm("openai", "gpt-4o-mini") is not first


def test_a_key_given_as_text_and_as_secret_is_the_same_configuration(pool: LLMPool) -> None:
    assert openai(pool, api_key=SECRET) is openai(pool, api_key=SecretStr(SECRET))


def test_no_secret_is_logged_or_shown(pool: LLMPool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ragpool")
    openai(
        pool,
        default_headers={"X-Api-Key": SECRET, "Cookie": SECRET},
        base_url=f"http://user:{SECRET}@127.0.0.1:1/v1",
    )
    assert "created llm LLMSpec(" in caplog.text  # the pool's key, as it is shown
    assert "<secret>" in caplog.text
    assert SECRET not in caplog.text + repr(pool) + str(pool.stats())


def test_an_unknown_provider_is_an_error_that_lists_the_known_ones(pool: LLMPool) -> None:
    with pytest.raises(
        UnknownProviderError, match=r"'mistral': unknown .*anthropic, openai"
    ) as info:
        pool.get_llm("mistral", "m")
    assert info.value.known == ("anthropic", "openai")


def test_the_http_clients_are_not_the_callers_to_set(pool: LLMPool) -> None:
    with pytest.raises(ConfigurationError, match="http_client is the pool's own"):
        openai(pool, http_client=httpx2.Client())


def test_a_registered_provider_gets_the_pools_http_clients(pool: LLMPool) -> None:
    given: list[tuple[dict[str, Any], LLMHttp]] = []

    class Model:
        pass

    def build(arguments: dict[str, Any], http: LLMHttp) -> Any:
        given.append((arguments, http))
        return Model()

    pool.register_provider("local", Provider(build=build))
    assert pool.get_llm("local", "m") is pool.get_llm("local", "m")
    [(arguments, http)] = given
    assert (arguments["model"], arguments["temperature"]) == ("m", 0.1)
    assert isinstance(http.client, httpx2.AsyncClient)


def test_both_providers_use_the_pools_clients_and_the_one_tls_context(
    pool: LLMPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    context = tls_context()
    monkeypatch.setattr(ssl, "create_default_context", made.append)  # every library's way to one

    async def take() -> int:
        openai(pool)
        pool.get_llm("anthropic", "claude", api_key=SECRET)
        return pool.stats().open

    assert asyncio.run(take()) == 2
    assert made == []
    assert tls_context() is context


def test_many_threads_make_exactly_one_model(pool: LLMPool) -> None:
    barrier = threading.Barrier(16)

    def ask(_: int) -> Any:
        barrier.wait()
        return openai(pool)

    with ThreadPoolExecutor(16) as threads:
        models = list(threads.map(ask, range(16)))
    assert len({id(model) for model in models}) == 1
    assert pool.stats().created == 1


def test_get_instance_makes_one_pool_under_many_threads() -> None:
    barrier = threading.Barrier(16)

    def ask(_: int) -> LLMPool:
        barrier.wait()
        return LLMPool.get_instance()

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(ask, range(16)))
    LLMPool.clear_instance()
    assert len(found) == 1
    assert LLMPool.get_instance() not in found
    LLMPool.clear_instance()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_models_of_one_endpoint_share_its_connection(
    pool: LLMPool, server: StubServer, provider: str
) -> None:
    url = server.openai_url if provider == "openai" else server.url

    async def chat() -> None:
        for temperature in (0.0, 0.7, 1.0):
            model = pool.get_llm(provider, "m", url, temperature, api_key=SECRET)
            assert (await model.ainvoke("hello")).text

    asyncio.run(chat())
    assert server.stats()["connections_opened"] == 1
    assert left_open(server) == 0


def test_a_model_from_outside_a_loop_serves_every_loop(pool: LLMPool, server: StubServer) -> None:
    model = openai(pool, base_url=server.openai_url)
    for _ in range(3):
        assert asyncio.run(model.ainvoke("hello")).text
    assert model.invoke("hello").text
    pool.clear()
    del model
    assert left_open(server) == 0


def test_a_stream_from_outside_a_loop_works_and_closes_its_connection(
    pool: LLMPool, server: StubServer
) -> None:
    model = openai(pool, base_url=server.openai_url)

    async def read() -> str:
        return "".join([str(part.text) async for part in model.astream("hello")])

    assert asyncio.run(read())
    assert left_open(server) == 0


def test_a_copy_of_a_model_keeps_its_clients_open(pool: LLMPool, server: StubServer) -> None:
    async def use() -> bool:
        model = openai(pool, base_url=server.openai_url)
        copy = model.model_copy(update={"temperature": 0.9})
        del model
        await _others_are_closed(pool)
        return bool((await copy.ainvoke("hello")).text)

    assert asyncio.run(use())


async def _others_are_closed(pool: LLMPool) -> None:
    """Have the pool drop everything, and wait until what nobody uses is closed."""
    openai(pool, base_url="http://127.0.0.1:1/unused")
    pool.clear()
    await reached(lambda: pool.stats().open == 1)


def test_a_model_bound_to_tools_keeps_its_clients_open(pool: LLMPool, server: StubServer) -> None:
    async def use() -> bool:
        bound = openai(pool, base_url=server.openai_url).bind(stop=["x"])
        await _others_are_closed(pool)
        return bool((await bound.ainvoke("hello")).text)

    assert asyncio.run(use())


def test_a_call_in_flight_outlives_the_eviction_of_its_model(server: StubServer) -> None:
    server.control(route="/v1", delay_s=0.5, times=1)
    pool = LLMPool(max_models=2)

    async def use() -> bool:
        call = asyncio.create_task(openai(pool, base_url=server.openai_url).ainvoke("hello"))
        await reached(lambda: server.stats()["requests_total"] == 1)
        for number in range(10):
            openai(pool, base_url=f"http://127.0.0.1:1/{number}")
        return bool((await call).text)

    assert asyncio.run(use())
    assert pool.stats().evicted == 9


def test_an_option_that_the_model_refuses_is_named_without_the_key(pool: LLMPool) -> None:
    with pytest.raises(ConfigurationError, match="'gpt-4o-mini': max_tokens: ") as info:
        openai(pool, max_tokens="many")
    assert SECRET not in str(info.value)
    assert info.value.__cause__ is None
    del info  # its frames hold the client that the model did not get
    gc.collect()
    assert pool.stats().open == 0


def test_a_missing_key_is_a_clear_error(pool: LLMPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        pool.get_llm("openai", "gpt-4o-mini")


@pytest.mark.parametrize(("fast", "module"), [(True, "ragpool"), (False, "langchain_openai")])
def test_the_class_of_openai_models_is_the_pools_choice(fast: bool, module: str) -> None:
    pool = LLMPool(fast_openai=fast)
    assert type(openai(pool)).__module__.partition(".")[0] == module
    pool.clear()

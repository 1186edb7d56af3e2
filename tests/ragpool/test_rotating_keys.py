"""Keys that change while a model lives: the new one is sent, and nothing of the old one is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from pydantic import SecretStr

from ragpool import ConfigClient, ConfigurationError, LLMPool
from ragpool.keys import PLACEHOLDER, KeyFile, KeySource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Vault:
    """Gives the key of now, each time in another form."""

    def __init__(self) -> None:
        self.key = "first"

    def text(self) -> str:
        return self.key

    def secret(self) -> SecretStr:
        return SecretStr(self.key)

    async def later(self) -> str:
        await asyncio.sleep(0)
        return self.key


def sent_by(model: Any, seen: list[httpx2.Request]) -> None:
    """Have a model's requests end here, after all hooks."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(400, json={"error": {"message": "enough"}})

    http = model._ragpool_lease.resource.client
    http._transport = httpx2.MockTransport(answer)
    http._mounts = {}


async def ask(model: Any) -> None:
    with pytest.raises(Exception, match="enough"):
        await model.ainvoke("why")


@pytest.mark.parametrize("form", ["text", "secret", "later"])
@pytest.mark.parametrize(
    ("provider", "header", "before"),
    [("openai", "authorization", "Bearer "), ("anthropic", "x-api-key", "")],
)
def test_each_request_has_the_key_of_now_and_the_model_stays(
    provider: str, header: str, before: str, form: str
) -> None:
    vault = Vault()

    async def use() -> list[str]:
        seen: list[httpx2.Request] = []
        pool = LLMPool()

        def model() -> Any:
            read: Callable[[], Any] = getattr(vault, form)  # another object each time, and equal
            return pool.get_llm(provider, "m", "http://127.0.0.1:9", api_key=read, max_retries=0)

        first = model()
        sent_by(first, seen)
        await ask(first)
        vault.key = "second"
        assert model() is first
        await ask(first)
        assert (pool.stats().created, pool.stats().open) == (1, 1)
        await pool.aclose()
        return [one.headers[header] for one in seen]

    assert asyncio.run(use()) == [f"{before}first", f"{before}second"]


def test_two_sources_never_share_a_client() -> None:
    one, other = Vault(), Vault()

    async def use() -> tuple[bool, int]:
        pool = LLMPool()
        models = [pool.get_llm("openai", "m", api_key=vault.text) for vault in (one, other)]
        apart = models[0] is not models[1]
        opened = pool.stats().open
        await pool.aclose()
        return apart, opened

    assert asyncio.run(use()) == (True, 2)


def test_a_key_of_the_environment_that_changed_leaves_nothing_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def use() -> tuple[int, int]:
        pool = LLMPool()
        for number in range(5):
            monkeypatch.setenv("OPENAI_API_KEY", f"key-{number}")
            pool.get_llm("openai", "judge")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        found = pool.stats()
        await pool.aclose()
        return found.clients, found.open

    assert asyncio.run(use()) == (1, 1)


def test_a_source_is_shown_as_nothing_and_equal_where_its_callable_is() -> None:
    vault = Vault()
    assert KeySource(vault.text) == KeySource(vault.text)
    assert KeySource(vault.text) != KeySource(Vault().text)
    assert "first" not in repr(KeySource(vault.text))


@pytest.mark.parametrize("given", ["", None, 7])
def test_what_is_no_key_is_refused_before_anything_is_sent(given: object) -> None:
    request = httpx2.Request("GET", "http://host", headers={"authorization": PLACEHOLDER})
    with pytest.raises(ConfigurationError, match="no key"):
        KeySource(lambda: given).put_into(request, "authorization", "Bearer ")


def test_a_key_file_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("first\n")
    read = KeyFile(path)
    assert (read(), read(), read.get_secret_value()) == ("first", "first", "first")
    (tmp_path / "next").write_text("second\n")
    (tmp_path / "next").replace(path)
    assert read() == "second"
    path.unlink()
    with pytest.raises(ConfigurationError, match=r"key cannot be read: FileNotFoundError"):
        read()


def test_the_services_key_may_stand_in_a_file_and_no_request_can_name_one(tmp_path: Path) -> None:
    settings = ConfigClient.load(llm_api_key_file=tmp_path / "key")
    assert settings.compose({})["llm_api_key"] == KeyFile(tmp_path / "key")
    assert "llm_api_key" not in settings.compose({"llm_provider": "anthropic"})
    assert settings.compose({"llm_api_key": "own"})["llm_api_key"] == "own"

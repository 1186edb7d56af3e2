"""Where keys go, seen by the hosts that are asked: a listener keeps every request's headers."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import ConfigClient, ConfigurationError, LLMPool, RAGServiceClient
from tests.ragpool.test_api import talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

SERVICE_KEY = "sk-service-planted"
OWN_KEY = "sk-own-planted"
PASSWORD = "hunter2-planted"
ORGANIZATION = "org-planted"


class Listener:
    """A host that is asked for answers, and repeats all that it was sent in a refusal."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.heard.append({name.lower(): value for name, value in self.headers.items()})
                self.rfile.read(int(self.headers.get("content-length", 0)))
                body = json.dumps({"error": {"message": f"refused: {dict(self.headers)}"}}).encode()
                self.send_response(listener.status)
                self.send_header("location", listener.location)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Print nothing."""

        self.status, self.location = 401, ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Listener, Listener]]:
    """Give the provider's configured host, and another."""
    configured, other = Listener(), Listener()
    for vendor in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{vendor}_API_KEY", SERVICE_KEY)
        monkeypatch.setenv(f"{vendor}_BASE_URL", configured.url)
        monkeypatch.setenv(f"{vendor}_CUSTOM_HEADERS", f"x-gateway: {SERVICE_KEY}")
    monkeypatch.setenv("OPENAI_ORG_ID", ORGANIZATION)
    yield configured, other
    configured.close()
    other.close()


@pytest.fixture
def rag_url(server: Any) -> str:
    return str(server.rag_url)


def settings(tmp_path: Path, rag_url: str, **changes: Any) -> ConfigClient:
    url = f"sqlite+aiosqlite:///{tmp_path}/keys.db"
    return ConfigClient.load(database_url=url, rag_base_url=rag_url, **changes)


def execute(settings: ConfigClient, **config: Any) -> httpx.Response:
    node = {"id": "a", "config": {"llm_model": "m", "max_rounds": 1, "answer": False, **config}}

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        body = {"query": "why", "nodes": [node], "wait": True}
        return await client.post("/execute", json=body)

    response: httpx.Response = talk(settings, conversation)
    return response


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_services_key_goes_to_the_configured_host(
    tmp_path: Path, rag_url: str, listeners: tuple[Listener, Listener], provider: str
) -> None:
    configured, _ = listeners
    for url in (None, configured.url):
        execute(settings(tmp_path, rag_url), llm_provider=provider, llm_base_url=url)
    assert len(configured.heard) == 2
    assert all(SERVICE_KEY in str(heard) for heard in configured.heard)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("own_key", [None, OWN_KEY])
def test_a_host_that_is_not_allowed_hears_nothing(
    tmp_path: Path,
    rag_url: str,
    listeners: tuple[Listener, Listener],
    provider: str,
    own_key: str | None,
) -> None:
    _, other = listeners
    config = {"llm_provider": provider, "llm_base_url": other.url, "llm_api_key": own_key}
    response = execute(settings(tmp_path, rag_url), **config)
    assert response.status_code == 422
    assert "may not be asked" in response.json()["detail"]
    assert other.heard == []


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_allowed_host_gets_the_callers_key_and_nothing_of_the_services(
    tmp_path: Path, rag_url: str, listeners: tuple[Listener, Listener], provider: str
) -> None:
    _, other = listeners
    allowing = settings(
        tmp_path,
        rag_url,
        allowed_hosts=(other.host,),
        node_defaults={"llm_api_key": SERVICE_KEY, "llm_provider": provider},
    )
    without = execute(allowing, llm_provider=provider, llm_base_url=other.url)
    assert (without.status_code, other.heard) == (422, [])
    assert "give a llm_api_key of your own" in without.json()["detail"]
    execute(allowing, llm_provider=provider, llm_base_url=other.url, llm_api_key=OWN_KEY)
    [heard] = other.heard
    assert OWN_KEY in str(heard)
    assert SERVICE_KEY not in str(heard)
    assert ORGANIZATION not in str(heard)
    assert "x-gateway" not in heard


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_redirect_takes_no_key_to_another_host(
    tmp_path: Path, rag_url: str, listeners: tuple[Listener, Listener], provider: str
) -> None:
    configured, other = listeners
    configured.status, configured.location = 307, other.url
    execute(settings(tmp_path, rag_url), llm_provider=provider)
    assert configured.heard
    assert other.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "//127.0.0.1/v1",
        "nonsense",
        "http://",
        f"http://user:{PASSWORD}@127.0.0.1:1/v1",
        f"http://127.0.0.1:1/v1?token={PASSWORD}",
        f"http://127.0.0.1:1/v1#{PASSWORD}",
        "http://[::1",
    ],
)
@pytest.mark.parametrize("key", ["llm_base_url", "rag_base_url"])
def test_an_address_that_cannot_be_right_is_refused_without_repeating_it(
    tmp_path: Path, rag_url: str, key: str, url: str
) -> None:
    allowing = settings(tmp_path, rag_url, allowed_hosts=("127.0.0.1",))
    response = execute(allowing, llm_api_key=OWN_KEY, **{key: url})
    assert response.status_code == 422
    assert PASSWORD not in response.text


def test_a_retrieval_service_must_be_allowed_too(
    tmp_path: Path, rag_url: str, listeners: tuple[Listener, Listener]
) -> None:
    _, other = listeners
    assert execute(settings(tmp_path, rag_url), rag_base_url=other.url).status_code == 422
    assert other.heard == []
    allowing = settings(tmp_path, rag_url, allowed_hosts=(other.host,))
    execute(allowing, rag_base_url=other.url)
    assert len(other.heard) == 1
    assert SERVICE_KEY not in str(other.heard)


def test_a_key_of_the_defaults_stays_with_their_provider(
    tmp_path: Path, rag_url: str, listeners: tuple[Listener, Listener]
) -> None:
    configured, other = listeners
    defaults = {"llm_base_url": other.url, "llm_api_key": OWN_KEY}
    composed = settings(tmp_path, rag_url, node_defaults=defaults)
    execute(composed, llm_provider="anthropic")
    assert OWN_KEY not in str(configured.heard)
    assert other.heard == []
    execute(composed)
    assert OWN_KEY in str(other.heard)


def test_no_planted_secret_is_shown_logged_or_stored(
    tmp_path: Path, server: Any, listeners: tuple[Listener, Listener], caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    configured, _ = listeners
    with_user = server.rag_url.replace("://", f"://user:{PASSWORD}@")
    secretive = settings(tmp_path, with_user)

    async def conversation(client: httpx.AsyncClient) -> list[str]:
        node = {"llm_model": "m", "max_rounds": 1}
        own = {**node, "llm_api_key": OWN_KEY, "llm_base_url": configured.url}
        seen: list[str] = []
        for config in (node, own, {**own, "collections": ["missing-one"]}):
            body = {"query": "q", "nodes": [{"id": "a", "config": config}], "wait": True}
            seen.append((await client.post("/execute", json=body)).text)
        seen += [(await client.get(path)).text for path in ("/executions", "/pools", "/health")]
        return seen

    seen = talk(secretive, conversation)
    assert "refused: " in seen[0]  # the upstream repeats the key, and its refusal is shown
    assert "retrieval service http://127.0.0.1" in seen[2]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keys.db*")).decode("latin-1")
    shown = "".join([*seen, caplog.text, repr(secretive), str(secretive), stored])
    for secret in (SERVICE_KEY, OWN_KEY, PASSWORD):
        assert secret not in shown
    assert f"Bearer {SERVICE_KEY}" in str(configured.heard)  # the secret that was looked for


def test_user_info_of_a_retrieval_service_goes_into_a_header(server: Any) -> None:
    async def search() -> int:
        url = server.rag_url.replace("://", f"://user:{PASSWORD}@")
        async with RAGServiceClient(url) as client:
            return len(await client.search("docs", "query"))

    assert asyncio.run(search()) > 0
    with pytest.raises(ConfigurationError, match="no query"):
        RAGServiceClient("http://rag.test/?token=planted")


def test_a_pool_without_a_policy_asks_whom_the_program_names() -> None:
    pool = LLMPool()
    assert pool.get_llm("openai", "m", "http://anywhere.test/v1", api_key=OWN_KEY)
    pool.clear()

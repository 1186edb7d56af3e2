"""Who may call the service: hosts, tokens, each caller's own, and limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import ConfigClient, ConfigurationError, create_app
from ragpool.__main__ import main
from ragpool.callers import Callers, hash_of, new_token, read_tokens
from ragpool.gate import host_is_trusted, is_loopback
from tests.ragpool.talking import client_of, talk, workflow
from tests.waiting import reached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from bench.stub_server import StubServer

ALICE, BOB = new_token(), new_token()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def named(settings: ConfigClient) -> ConfigClient:
    tokens = {"alice": (hash_of(ALICE),), "bob": (hash_of(BOB),)}
    return settings.model_copy(update={"tokens": tokens})


def test_a_token_is_known_by_its_hash_alone() -> None:
    callers = Callers({"alice": (hash_of(ALICE), hash_of("older")), "bob": (hash_of(BOB),)})
    found = [
        callers.identify(header.encode())
        for header in (
            f"Bearer {ALICE}",
            "bearer older",
            f"Bearer {BOB}",
            f"Bearer {BOB}x",
            f"Basic {BOB}",
            f"Bearer {hash_of(BOB)}",
            "Bearer ",
            "",
        )
    ]
    assert found == ["alice", "alice", "bob", None, None, None, None, None]


@pytest.mark.parametrize(
    "given",
    [
        {"alice": hash_of(ALICE)},
        f"alice={hash_of(ALICE)}",
        f'{{"alice": ["{hash_of(ALICE)}"]}}',
        {"alice": hash_of(ALICE).removeprefix("sha256:")},
    ],
    ids=["table", "pair", "json", "bare-hash"],
)
def test_tokens_are_read_from_a_table_or_a_variable(given: Any) -> None:
    assert read_tokens(given) == {"alice": (hash_of(ALICE),)}


@pytest.mark.parametrize(
    "given",
    [{"alice": ALICE}, f"alice={ALICE}", "nonsense", "{", {"a b": hash_of(ALICE)}, [1], {"a": []}],
    ids=["table", "pair", "nonsense", "broken-json", "name-with-space", "list", "no-hash"],
)
def test_a_token_in_place_of_its_hash_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="tokens: ") as caught:
        ConfigClient.load(tokens=given)
    assert ALICE not in str(caught.value)


def test_the_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGPOOL_TOKENS", f"alice={hash_of(ALICE)}")
    assert ConfigClient.load().tokens == {"alice": (hash_of(ALICE),)}


def test_a_token_and_its_hash_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "alice"]) == 0
    said = capsys.readouterr().out
    token = said.partition("Bearer ")[2].split()[0]
    assert f'{{"alice": "{hash_of(token)}"}}' in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "service.internal"])  # the case
def test_the_service_does_not_listen_where_anybody_could_call(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", host]) == 2
    assert "callers need no token; set RAGPOOL_TOKENS" in capsys.readouterr().err.replace("\n", "")


def test_a_missing_or_wrong_token_is_refused_on_every_route_but_health(
    named: ConfigClient,
) -> None:
    async def conversation(client: httpx.AsyncClient) -> set[int]:
        codes = set()
        for path in ("/executions", "/executions/x", "/pools", "/docs", "/openapi.json", "/no"):
            for headers in ({}, bearer("wrong"), bearer(hash_of(ALICE))):
                response = await client.get(path, headers=headers)
                codes.add(response.status_code)
                assert response.headers["WWW-Authenticate"] == "Bearer"
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/pools", headers=bearer(ALICE))).status_code == 200
        return codes

    assert talk(named, conversation) == {401}


def test_a_caller_sees_and_deletes_its_own_alone(
    named: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        made = await client.post("/execute", json=workflow(node_config), headers=bearer(ALICE))
        assert made.json()["caller"] == "alice"
        path = f"/executions/{made.json()['execution_id']}"

        async def listed(token: str) -> int:
            response = await client.get("/executions", headers=bearer(token))
            return len(response.json()["executions"])

        assert [await listed(ALICE), await listed(BOB)] == [1, 0]
        for method in "GET", "DELETE":
            assert (await client.request(method, path, headers=bearer(BOB))).status_code == 404
        assert (await client.get(path, headers=bearer(ALICE))).status_code == 200
        assert (await client.delete(path, headers=bearer(ALICE))).status_code == 204

    talk(named, conversation)


def test_one_callers_executions_and_requests_are_limited_and_not_anothers(
    named: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    limits = {"max_unfinished_per_caller": 2, "max_requests_per_caller": 1}

    async def conversation(client: httpx.AsyncClient) -> None:
        async def post(token: str, **changes: Any) -> httpx.Response:
            body = workflow(node_config, wait=False) | changes
            return await client.post("/execute", json=body, headers=bearer(token))

        assert (await post(ALICE)).status_code == 202
        waiting = asyncio.ensure_future(post(ALICE, wait=True))
        await reached(lambda: int(server.stats()["connections_opened"]) >= 2)
        at_once = await post(ALICE)
        assert (at_once.status_code, at_once.headers["Retry-After"]) == (429, "1")
        assert (await post(BOB)).status_code == 202
        waiting.cancel()
        await asyncio.wait([waiting])

    talk(named.model_copy(update=limits), conversation)

    async def too_many(client: httpx.AsyncClient) -> None:
        codes = []
        for _ in range(3):
            body = workflow(node_config, wait=False)
            response = await client.post("/execute", json=body, headers=bearer(ALICE))
            codes.append(response.status_code)
        assert codes == [202, 202, 429]
        assert "caller 'alice': 2 executions" in response.json()["detail"]
        assert response.headers["Retry-After"] == "1"

    talk(named.model_copy(update={"max_unfinished_per_caller": 2}), too_many)


def test_a_slow_body_is_given_up(settings: ConfigClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", content=body())

    response = talk(settings.model_copy(update={"body_timeout_s": 0.05}), conversation)
    assert (response.status_code, response.headers["Connection"]) == (408, "close")


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("10.1.2.3:8000", True),  # the very address that was called
        ("10.9.9.9", False),
        ("evil.example", False),
        ("ragpool.internal", True),
        ("a.team.example:1", True),
        ("team.example.evil", False),
        ("", False),
    ],
)
def test_hosts_that_are_served(host: str, trusted: bool) -> None:
    settings = ConfigClient.load(trusted_hosts=("ragpool.internal", "*.team.example"))
    scope = {"type": "http", "server": ("10.1.2.3", 8000)}
    assert host_is_trusted(host, scope, settings) is trusted


def test_an_untrusted_host_is_refused(settings: ConfigClient) -> None:
    async def conversation(client: httpx.AsyncClient) -> int:
        return (await client.get("/health", headers={"Host": "evil.example"})).status_code

    assert talk(settings, conversation) == 400


def test_without_tokens_only_loopback_is_served(settings: ConfigClient) -> None:
    async def ask(settings: ConfigClient) -> int:
        app = create_app(settings)
        async with client_of(app) as client:
            return (await client.get("http://10.1.2.3/executions")).status_code

    assert asyncio.run(ask(settings)) == 401
    assert asyncio.run(ask(settings.model_copy(update={"allow_anonymous": True}))) == 200
    assert [is_loopback(one) for one in ("::1", "127.9.9.9", "10.0.0.1")] == [True, True, False]

"""What Prometheus reads: right, complete, and of a size that no caller can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

from tests.ragpool.talking import talk, workflow

if TYPE_CHECKING:
    import httpx

    from bench.stub_server import StubServer
    from ragpool import ConfigClient

Values = dict[tuple[str, ...], float]


async def scraped(client: httpx.AsyncClient) -> Values:
    reply = await client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_executions_are_counted_by_how_they_ended(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    async def conversation(client: httpx.AsyncClient) -> tuple[Values, Values]:
        before = await scraped(client)
        for _ in range(3):
            await client.post("/execute", json=workflow(node_config))
        server.control(route="/v1", status=400)
        await client.post("/execute", json=workflow(node_config))
        return before, await scraped(client)

    before, after = talk(settings, conversation)
    assert ("ragpool_executions_ended_total", "completed") not in before
    assert after["ragpool_executions_ended_total", "completed"] == 3
    assert after["ragpool_executions_ended_total", "error"] == 1
    assert after["ragpool_execution_seconds_count",] == 4
    assert after["ragpool_executions", "running"] == 0
    assert after["ragpool_executions", "completed"] == 3
    assert after["ragpool_pool_created_total", "retrieval"] >= 1
    assert after["ragpool_connections_open",] >= 1
    assert after["ragpool_records_lost_total",] == 0


def test_no_text_of_a_caller_is_in_them_and_their_number_stays(
    settings: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def conversation(client: httpx.AsyncClient) -> list[Values]:
        seen = []
        for number in range(3):
            model = node_config | {"llm_model": f"planted-{number}"}
            await client.post("/execute", json=workflow(model, query="planted"))
            seen.append(await scraped(client))
        return seen

    first, *_, last = talk(settings, conversation)
    assert first.keys() == last.keys()
    assert "planted" not in str(last)


def test_they_need_a_token_where_there_are_some(settings: ConfigClient) -> None:
    guarded = settings.model_copy(update={"tokens": {"ops": (f"sha256:{'0' * 64}",)}})

    async def conversation(client: httpx.AsyncClient) -> int:
        return (await client.get("/metrics")).status_code

    assert talk(guarded, conversation) == 401

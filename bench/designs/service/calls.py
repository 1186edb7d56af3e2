"""One request to the HTTP service; `bench.designs.service.services` has the three services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import cases
from bench.failures import counted

if TYPE_CHECKING:
    import httpx


async def execute(client: httpx.AsyncClient, number: int) -> None:
    """Ask for one workflow and wait for its result."""
    with counted():
        await _post(client, {"query": cases.batch_query(number)})


async def execute_nodes(client: httpx.AsyncClient, number: int) -> None:
    """Do the same in the words of ragpool's own service, which must not fail."""
    config = {**cases.node_config(), "collections": [cases.COLLECTION]}
    nodes = [{"id": "search", "config": config}]
    await _post(client, {"query": cases.batch_query(number), "nodes": nodes, "wait": True})


async def _post(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    response = await client.post("/execute", json=body)
    response.raise_for_status()
    if response.json().get("error") is not None:
        raise ValueError(response.text)

"""The stub server that the tests of a file share, empty before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from bench.stub_server import StubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 20


@pytest.fixture(scope="module")
def shared() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def server(shared: StubServer) -> StubServer:
    shared.reset()
    return shared


@pytest.fixture
def client(server: StubServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=WAIT_S) as client:
        yield client

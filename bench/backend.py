"""What runs beside a measured scenario: the stub server, with its connections as counters."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import failures
from bench.stub.counters import GAUGES
from bench.stub_server import StubServer
from memcurve.model.scenario import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator

# what decides how much memory a design needs: other versions of these are another measurement
PACKAGES = (
    "anthropic",
    "fastapi",
    "httpx",
    "httpx2",
    "langchain-anthropic",
    "langchain-core",
    "langchain-openai",
    "openai",
    "pydantic",
    "sqlalchemy",
)

# where the designs find the server: they run in a process that is started later
OPENAI_URL = "BENCH_OPENAI_URL"
ANTHROPIC_URL = "BENCH_ANTHROPIC_URL"
RAG_URL = "BENCH_RAG_URL"


@contextlib.contextmanager
def stub_backend() -> Iterator[Backend]:
    """Run a stub server of its own for one worker, so that its connections are that worker's."""
    with tempfile.TemporaryDirectory(prefix="memcurve-stub-") as folder:
        gauges, failed = Path(folder) / "gauges", Path(folder) / "failed"
        failed.write_bytes(bytes(failures.FILE_BYTES))
        with StubServer(gauges=gauges) as server:
            yield Backend(
                environment={
                    OPENAI_URL: server.openai_url,
                    ANTHROPIC_URL: server.url,
                    # read by anthropic itself: the published pool passes no address on
                    "ANTHROPIC_BASE_URL": server.url,
                    RAG_URL: server.rag_url,
                    failures.PATH: str(failed),
                    "OPENAI_API_KEY": "stub",
                    "ANTHROPIC_API_KEY": "stub",
                },
                gauges={name: (str(gauges), place) for place, name in enumerate(GAUGES)}
                | {"failures": (str(failed), 0)},
            )

"""The stub backend: a process of its own that speaks OpenAI, Anthropic and the retrieval API.

    from bench.stub_server import StubServer

    with StubServer() as server:
        ChatOpenAI(base_url=server.openai_url, api_key="any", model="gpt-4o-mini")
        ChatAnthropic(base_url=server.url, api_key="any", model="claude-haiku-4-5")
        httpx.AsyncClient(base_url=server.rag_url)
        server.control(route="/rag", status=503, times=2)
        server.stats()["connections_opened"]

By hand: `python -m bench.stub_server --port 8080`. Answers depend on the request alone.
`bench.stub.service` lists the routes, `bench.stub.faults` what can go wrong on order. Connections
stay open until the client closes them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.stub.process import StubServer, StubServerError

__all__ = ["StubServer", "StubServerError", "main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted, or until the parent process is gone."""
    parser = argparse.ArgumentParser(prog="python -m bench.stub_server", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--stay", action="store_true", help="outlive the parent process")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    parser.add_argument("--gauges", type=Path, help="keep the counts of connections in this file")
    chosen = parser.parse_args(arguments)
    # the client side must not load the server: it lives in processes whose memory is measured
    from bench.stub.serve import serve

    try:
        serve(
            chosen.port,
            watch_stdin=chosen.watch_stdin,
            stay=chosen.stay,
            gauges=chosen.gauges,
        )
    except OSError as error:
        parser.exit(1, f"stub server: port {chosen.port} cannot be used: {error}\n")


if __name__ == "__main__":
    main()

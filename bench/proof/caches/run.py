"""Put ragpool, langchain and LiteLLM to the same tests of loops, evictions and caches.

    make caches ARGS=--write

LiteLLM lives in a virtual environment of its own, pinned in `constraints.txt`. Each trial
(`trial.py`) is one process, and has a stub server of its own; one that takes longer than five
minutes has no result. `--write` puts the table into `docs/ragpool-in-service.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.proof.accuracy.document import table, write_section
from bench.stub_server import StubServer

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "ragpool-in-service.md"
TIMEOUT_S = 300.0
DESIGNS = ("ragpool", "langchain", "litellm")
TESTS = ("loops", "alternation", "evictions", "entries")
VERSIONS = ("ragpool", "langchain-openai", "litellm", "openai")

Found = dict[str, Any] | None


def measure(python: Path, design: str, test: str) -> Found:
    """Run one trial; None where it has no result."""
    command = [str(python), str(Path(__file__).parent / "trial.py"), design, test]
    with StubServer() as server:
        try:
            ran = subprocess.run(
                [*command, server.openai_url], capture_output=True, text=True, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return None
        lines = ran.stdout.strip().splitlines()
        if ran.returncode or not lines:
            print(f"{design} {test}: {ran.stderr.strip()[-300:]}", file=sys.stderr)
            return None
        stats = server.stats()
    found: dict[str, Any] = json.loads(lines[-1])
    return found | {name: stats[name] for name in ("connections_opened", "connections_peak")}


def rows(found: dict[tuple[str, str], Found]) -> list[list[str]]:
    """Return the table's rows: one figure each, with a column for each design."""
    wanted = (
        ("50 loops on ten threads, calls that failed", "loops", "failed"),
        ("… connections open at once", "loops", "connections_peak"),
        ("… sockets open after the loops' end", "loops", "sockets"),
        ("two loops in turn, calls that failed", "alternation", "failed"),
        ("160 tenants, calls that failed", "evictions", "failed"),
        ("… a stream in flight was cut", "evictions", "cut"),
        ("… connections open at once", "evictions", "connections_peak"),
        ("… sockets open after the last", "evictions", "sockets"),
        ("… bytes of Python's kept by a further tenant", "evictions", "kept_bytes"),
        ("3,000 answers put into the cache, entries held", "entries", "held"),
        ("… bytes held", "entries", "kept_bytes"),
    )
    return [
        [text, *(_cell(found.get((design, test)), name) for design in DESIGNS)]
        for text, test, name in wanted
    ]


def _cell(found: Found, name: str) -> str:
    if found is None:
        return "no result"
    value = found[name]
    if name == "cut":
        return "yes" if value else "no"
    if name == "failed":
        return f"{value} of {found['calls']}"
    return f"{value:,.0f}"


def versions(python: Path) -> str:
    """Name the versions in one environment."""
    command = [str(python), "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    known = {item["name"].lower(): item["version"] for item in listed}
    return ", ".join(f"{name} {known[name]}" for name in VERSIONS if name in known)


def main() -> int:
    parser = argparse.ArgumentParser(prog="caches")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-caches" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    pythons = dict.fromkeys(DESIGNS, Path(sys.executable)) | {"litellm": options.python}
    found: dict[tuple[str, str], Found] = {}
    for design in DESIGNS:
        for test in TESTS:
            found[design, test] = measure(pythons[design], design, test)
            print(design, test, found[design, test], flush=True)
    how = (
        f"`make caches`: CPython {platform.python_version()}, {os.cpu_count()} processors; "
        f"{versions(Path(sys.executable))}; LiteLLM with {versions(options.python)}."
    )
    text = f"{how}\n\n{table(['', *DESIGNS], rows(found))}"
    print(text)
    if options.write:
        write_section("caches", text, PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

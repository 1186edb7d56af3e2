"""The image and the compose file: linted, without secrets, and of settings that exist.

No test builds it, which needs a daemon and the network: CI does. What the image runs is run here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ragpool import ConfigClient
from ragpool.callers import hash_of
from ragpool.config import TOML_VARIABLE
from ragpool.retrieval import BASE_URL_VARIABLE
from ragpool.server import BEYOND_DRAIN_S
from tests.ragpool.served import Service

if TYPE_CHECKING:
    from bench.stub_server import StubServer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packages" / "ragpool"
LINTER = Path(sys.executable).with_name("hadolint")
LOCAL = {"RAGPOOL_PORT", "RAGPOOL_HOST", "RAGPOOL_DATABASE_URL"}
"""What differs where a test runs what the image runs."""


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each on one line, without comments."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines()]


DOCKERFILE = instructions((FOLDER / "Dockerfile").read_text())
LAST_STAGE = DOCKERFILE[max(at for at, (name, _) in enumerate(DOCKERFILE) if name == "FROM") :]
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())


def last(name: str) -> str:
    return [text for one, text in LAST_STAGE if one == name][-1]


def environment() -> dict[str, str]:
    return dict(word.split("=", 1) for word in last("ENV").split())


def linted(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "-"], input=text, capture_output=True, text=True, check=False)


def test_the_dockerfile_is_clean_and_the_linter_would_see_a_fault() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    assert linted(text).stdout == ""
    assert "DL3007" in linted(text.replace(":3.11-slim-bookworm", ":latest")).stdout


def test_it_runs_as_nobody_in_particular_and_says_whether_it_is_well() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER"))
    assert json.loads(last("ENTRYPOINT"))[:1] == ["python"]  # no shell: SIGTERM reaches the service
    assert last("STOPSIGNAL") == "SIGTERM"
    assert "CMD [" in last("HEALTHCHECK")
    assert all(":latest" not in text and ":" in text for name, text in DOCKERFILE if name == "FROM")


def test_what_it_copies_is_let_through_and_exists() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sources = [
        text.split()[0] for name, text in DOCKERFILE if name == "COPY" and "--from" not in text
    ]
    assert {f"!{one}" for one in sources} <= set(ignored)
    assert all((ROOT / one).exists() for one in sources)
    assert ignored[1] == "**"  # the rest stays out, .git and .env among it


def test_no_secret_is_in_image_or_compose_file() -> None:
    def is_secret(name: str) -> bool:
        return any(word in name for word in ("KEY", "TOKEN", "PASSWORD", "SECRET"))

    assert not [name for name in environment() if is_secret(name)]
    assert not [text for name, text in DOCKERFILE if name == "ARG"]
    for service in COMPOSE["services"].values():
        given = {name: str(text) for name, text in service["environment"].items()}
        assert all(text.startswith("${") for name, text in given.items() if is_secret(name))
        assert all(re.search(r"\w://[^/]*:(\$\{|[^/@]*$)", t) for t in given.values() if "://" in t)
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert ".env" in ignored


def test_every_setting_that_is_named_exists_and_is_in_range() -> None:
    named = environment() | COMPOSE["services"]["ragpool"]["environment"]
    ours = {name for name in named if name.startswith("RAGPOOL_")}
    known = {f"RAGPOOL_{name.upper()}" for name in ConfigClient.model_fields}
    assert ours <= known | {TOML_VARIABLE, BASE_URL_VARIABLE}
    values = {
        name.removeprefix("RAGPOOL_").lower(): json.loads(text) if text[0] == "[" else text
        for name, text in named.items()
        if name in ours and "${" not in text
    }
    settings = ConfigClient.load(**values)
    assert settings.host == "0.0.0.0"
    assert str(settings.port) == last("EXPOSE")


def test_compose_waits_for_the_drain_and_gives_the_service_no_power() -> None:
    service, database = (COMPOSE["services"][name] for name in ("ragpool", "postgres"))
    grace_s = int(service["stop_grace_period"].removesuffix("s"))
    assert grace_s > float(service["environment"]["RAGPOOL_DRAIN_S"]) + BEYOND_DRAIN_S
    assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert database["healthcheck"]["test"][1] == "pg_isready"
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    mounted = {volume.partition(":")[0] for volume in database["volumes"]}
    assert mounted == set(COMPOSE["volumes"])


def test_the_health_check_tells_a_service_that_answers_from_one_that_does_not(
    tmp_path: Path, server: StubServer
) -> None:
    settings = {name: text for name, text in environment().items() if name.startswith("RAGPOOL_")}
    service = Service(
        tmp_path,
        server.rag_url,
        server.openai_url,
        **{name: text for name, text in settings.items() if name not in LOCAL},
        RAGPOOL_HOST="0.0.0.0",
        RAGPOOL_TOKENS=f"alice={hash_of('token')}",
    )
    port = service.url.rpartition(":")[2]
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])

    def asked() -> int:
        ran = subprocess.run(
            [sys.executable, *command[1:]],
            env=os.environ | {"RAGPOOL_PORT": port},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return ran.returncode

    well = asked()
    service.stop()
    assert (well, asked()) == (0, 1)

"""Serve ragpool over HTTP: `python -m ragpool --port 8000`.

`python -m ragpool token NAME` makes a token for a caller, and the hash that RAGPOOL_TOKENS needs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys

from ragpool.api import create_app
from ragpool.callers import hash_of, new_token
from ragpool.config import TOML_VARIABLE, ConfigClient
from ragpool.errors import ConfigurationError
from ragpool.gate import is_ip, is_loopback
from ragpool.server import Server

_BAD_SETTINGS = 2


def main(arguments: list[str] | None = None) -> int:
    """Read the settings, then serve until a signal comes; or make a token."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["token"]:
        return _make_token(given[1:])
    parser = argparse.ArgumentParser(prog="python -m ragpool", description=__doc__)
    parser.add_argument("--host", help="the address to listen on (RAGPOOL_HOST)")
    parser.add_argument("--port", type=int, help="the port; 0 takes a free one (RAGPOOL_PORT)")
    parser.add_argument("--config", metavar="FILE", help=f"a TOML file ({TOML_VARIABLE})")
    chosen = parser.parse_args(given)
    if chosen.config is not None:
        os.environ[TOML_VARIABLE] = chosen.config
    options = {"host": chosen.host, "port": chosen.port}
    try:
        settings = ConfigClient.load(
            **{key: value for key, value in options.items() if value is not None}
        )
        _check_who_may_call(settings)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_SETTINGS
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn hands it on when all is closed
        Server(create_app(settings), settings).run()
    return 0


def _check_who_may_call(settings: ConfigClient) -> None:
    """Refuse to listen where anybody could call."""
    if settings.tokens or settings.allow_anonymous or settings.host == "localhost":
        return
    if not is_loopback(settings.host) or not is_ip(settings.host):
        raise ConfigurationError(
            "settings",
            [
                f"host {settings.host!r} is more than loopback, and callers need no token",
                "set RAGPOOL_TOKENS (`python -m ragpool token NAME`), or RAGPOOL_ALLOW_ANONYMOUS",
            ],
        )


def _make_token(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m ragpool token", description="Make a token.")
    parser.add_argument("name", help="the caller's name, which records of executions show")
    chosen = parser.parse_args(arguments)
    token = new_token()
    sys.stdout.write(
        f"for the caller, shown only now:  Authorization: Bearer {token}\n"
        f"for the service:  RAGPOOL_TOKENS='{json.dumps({chosen.name: hash_of(token)})}'\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

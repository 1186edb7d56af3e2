"""Serve ragpool over HTTP: `python -m ragpool --port 8000`."""

from __future__ import annotations

import argparse
import os
import sys

import uvicorn

from ragpool.api import create_app
from ragpool.config import TOML_VARIABLE, ConfigClient
from ragpool.errors import ConfigurationError

_BAD_SETTINGS = 2


def main(arguments: list[str] | None = None) -> int:
    """Read the settings, then serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m ragpool", description=__doc__)
    parser.add_argument("--host", help="the address to listen on (RAGPOOL_HOST)")
    parser.add_argument("--port", type=int, help="the port; 0 takes a free one (RAGPOOL_PORT)")
    parser.add_argument("--config", metavar="FILE", help=f"a TOML file ({TOML_VARIABLE})")
    chosen = parser.parse_args(arguments)
    if chosen.config is not None:
        os.environ[TOML_VARIABLE] = chosen.config
    given = {"host": chosen.host, "port": chosen.port}
    try:
        settings = ConfigClient.load(**{key: given[key] for key in given if given[key] is not None})
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_SETTINGS
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())

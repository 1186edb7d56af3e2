"""Logs that machines read: one JSON object a line, with whose work it was, and no secret.

`RAGPOOL_LOG_FORMAT=json` gives the service this form. In a program of your own, give `JsonLines` to
a handler; `logging.config` knows it as `"()": "ragpool.logs.JsonLines"`.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from uvicorn.config import LOGGING_CONFIG

from ragpool.masking import known_secrets, scrub
from ragpool.observing import FACTS
from ragpool.run_context import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ragpool.config import ConfigClient


class JsonLines(logging.Formatter):
    """Write a record as one line: time (UTC), level, logger, message, then what is known.

    Known are `execution_id`, `caller`, `node`, `provider`, `model` of the work at hand, and at the
    end of a step (`ragpool.observing`) its `duration_s` and, when it failed, `error` and `problem`.
    The secrets of the environment, of the execution at hand, and `secrets` are replaced by `***`.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        context = current()
        secrets = {*self._secrets, *context.secrets(), *known_secrets({})}
        values: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **context.facts,
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return json.dumps(dict(_masked(values, secrets)), ensure_ascii=False, default=str)


def _masked(values: dict[str, Any], secrets: set[str]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if value is not None:
            yield name, scrub(value, secrets) if isinstance(value, str) else value


def log_config(settings: ConfigClient) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` needs for the service's process."""
    if settings.log_format == "text":
        return LOGGING_CONFIG
    lines = {"handlers": ["lines"], "propagate": False, "level": "INFO"}
    secrets = tuple(known_secrets(_of_settings(settings)))
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines, "secrets": secrets}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {"ragpool": lines, "uvicorn": lines},
        "root": {"handlers": ["lines"], "level": "WARNING"},
    }


def _of_settings(settings: ConfigClient) -> dict[str, Any]:
    """Return the settings that may hold secrets, whichever source they came from."""
    return {
        "database_url": settings.database_url.get_secret_value(),
        "rag_base_url": settings.rag_base_url or "",
        "node_defaults": settings.node_defaults,
    }

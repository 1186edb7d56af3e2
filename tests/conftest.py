"""What every test may rely on: nothing of the terminal or the service that it runs in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples at each run, and no time limit for one: a red run means a change, not luck or a
# busy machine. Others are tried with `pytest --hypothesis-profile=default`.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

# how wide and how coloured pytest, rich and click print, and how much pytest prints
TERMINAL = (
    "BUILD_NUMBER",
    "CI",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "LINES",
    "PYTEST_ADDOPTS",
    "PY_COLORS",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
)
# what configures ragpool and the libraries under it
SETTINGS = ("ANTHROPIC_", "LANGCHAIN_", "LANGSMITH_", "OPENAI_", "RAGPOOL_")


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Take these variables away, from the processes that tests start too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in TERMINAL or name.startswith(SETTINGS):
                patch.delenv(name)
        yield

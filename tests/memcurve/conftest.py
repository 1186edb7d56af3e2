"""Projects for the commands of memcurve to run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what makes a project with one file of scenarios, and the current folder of it.

    Its modules lie beside the scenarios, which name them, and at the top, where `check` looks.
    """

    def make(scenarios: str, **modules: str) -> Path:
        folder = tmp_path / "bench" / "scenarios"
        folder.mkdir(parents=True)
        (folder / "small.py").write_text(scenarios)
        for name, text in modules.items():
            for at in (folder, tmp_path):
                (at / f"{name}.py").write_text(text)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make

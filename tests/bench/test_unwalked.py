"""The figure that the findings quote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest import mock

from bench import unwalked

if TYPE_CHECKING:
    import pytest


def test_both_models_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(unwalked, "ROUNDS", 3)
    with mock.patch.dict(os.environ):
        assert unwalked.main() == 0
    walked, ours, ratio = (
        float(word) for word in capsys.readouterr().out.split() if word[0].isdigit()
    )
    assert abs(ours / walked - ratio) < 0.02  # both were rounded

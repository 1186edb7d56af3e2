"""The figures of evictions that the documentation quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import evictions

if TYPE_CHECKING:
    import pytest


def test_evictions_are_measured_while_streams_are_read_and_none_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evictions, "EVICTIONS", 100)
    monkeypatch.setattr(evictions, "STREAMS", 3)
    monkeypatch.setattr(evictions, "PIECE_S", 0.03)
    code = evictions.main()
    *costs, evicted, streams = capsys.readouterr().out.splitlines()
    assert [line.split(" through")[0] for line in costs] == [
        "100 empty clients",
        "100 models",
        "100 retrieval clients",
    ]
    assert int(evicted.split()[0]) >= 3 * 100 - 32 - 32 - 8
    assert streams.endswith(", 0 cut")
    assert code == (0 if ", 0 in flight" not in streams else 1)


def test_a_stream_that_was_cut_is_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def cut(server: object) -> evictions.Measured:
        return evictions.Measured(
            cpu_s={}, evicted=1, still_in_flight=1, answers=("whole", "who"), undisturbed="whole"
        )

    monkeypatch.setattr(evictions, "measure", cut)
    assert evictions.main() == 1
    assert "2 streams, 1 in flight at the end, 1 cut" in capsys.readouterr().out

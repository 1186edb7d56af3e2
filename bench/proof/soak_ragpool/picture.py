"""Draw a soak: live memory and descriptors over the executions, and the times of both designs."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.proof.soak_ragpool.beside import Times
    from bench.proof.soak_ragpool.soak import Soaked

MIB = 1 << 20


def draw(found: Soaked, measured: Times) -> bytes:
    """Return a PNG; costs about a second, most of it the first time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    memory, descriptors, times = figure.subplots(1, 3)
    for axes, counter, unit, title in (
        (memory, "live_bytes", MIB, "live memory, MiB"),
        (descriptors, "fds", 1, "descriptors"),
    ):
        _over_executions(axes, found, counter, unit)
        axes.set_title(title, loc="left")
        axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
        axes.set_xlabel("executions")
    for name, values in (("pooled", measured.pooled_s), ("naive", measured.naive_s)):
        shares = [100 * (place + 1) / len(values) for place in range(len(values))]
        times.plot([1000 * value for value in sorted(values)], shares, label=name)
    times.set_title("clean searches done within …, %", loc="left")
    times.set_xlabel("ms")
    times.set_xscale("log")
    times.legend()
    out = BytesIO()
    figure.savefig(out, format="png", dpi=100)
    return out.getvalue()


def _over_executions(axes: Any, found: Soaked, counter: str, unit: int) -> None:
    assert found.checked is not None
    curve = found.checked.recording.passes[0].samples.curve(counter)
    axes.plot([call * found.each for call in curve.calls], [v / unit for v in curve.values])

"""Check a call that does nothing a hundred to a million times: memory stays, time is linear.

    make scale ARGS="--most 100000 --write"

Exit 1 where a million calls take more than 16 MiB more than ten thousand (memcurve and its worker
together, each at its highest), where time grows faster than calls, or where a peak that one call
reached is in no row. `--write` puts table and picture into docs/scale.md.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.proof.scale.trial import Scaled, scaled
from bench.proof.scale.workloads import PEAK_BYTES
from memcurve.model.units import MIB, format_bytes, format_duration

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
PAGE, PICTURE = DOCS / "scale.md", DOCS / "pictures" / "scale.svg"
BEGIN, END = "<!-- make scale writes from here -->", "<!-- to here -->"
MOST = 1_000_000
COMPARED_WITH = 10_000
MOST_MORE = 16 * MIB
"""What the goal allows: the rows of a full table, read once by the parent, are two thirds."""
MOST_SLOWER = 1.5
"""A call of a long run may take so many times one of a run a tenth as long: a machine is busy."""
COLUMNS = ("target", "calls", "rows", "memcurve", "worker", "time", "a call")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scale")
    parser.add_argument("--most", type=int, default=MOST)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found: list[Scaled] = []
    print("  ".join(f"{name:>10}" for name in COLUMNS))
    for target in ("clean", "peaks"):
        for calls in _steps(options.most):
            found.append(scaled(f"{HERE / 'workloads.py'}:{target}", calls))
            print("  ".join(f"{cell:>10}" for cell in cells(found[-1])), flush=True)
    wrong = list(faults(found))
    for text in wrong:
        print(f"scale: {text}", file=sys.stderr)
    if options.write:
        draw(found)
        write(found)
    return 1 if wrong else 0


def _steps(most: int) -> Iterator[int]:
    calls = 100
    while calls <= most:
        yield calls
        calls *= 10


def cells(one: Scaled) -> list[str]:
    """Return one row of the table."""
    return [
        one.target.rpartition(":")[2],
        f"{one.calls:,}",
        f"{one.rows:,}",
        format_bytes(one.parent_bytes),
        format_bytes(one.worker_bytes),
        format_duration(one.elapsed_s),
        format_duration(one.elapsed_s / one.calls),
    ]


def faults(found: Sequence[Scaled]) -> Iterator[str]:
    """Yield what does not stay as it must."""
    by_calls = {(one.target, one.calls): one for one in found}
    for one in found:
        base = by_calls.get((one.target, COMPARED_WITH))
        name = f"{one.target.rpartition(':')[2]} with {one.calls:,} calls"
        if base is not None and one.bytes - base.bytes > MOST_MORE:
            more = format_bytes(one.bytes - base.bytes)
            yield f"{name} takes {more} more than with {COMPARED_WITH:,}"
        before = by_calls.get((one.target, one.calls // 10))
        if before is not None and one.elapsed_s > MOST_SLOWER * 10 * before.elapsed_s:
            yield f"{name} takes {one.elapsed_s / before.elapsed_s:.1f} times as long as a tenth"
        if one.target.endswith(":peaks") and one.highest < PEAK_BYTES:
            yield f"{name}: no row has the peak; the highest is {format_bytes(one.highest)}"


def write(found: Sequence[Scaled], page: Path = PAGE) -> None:
    """Put the table into the page."""
    head = ["| " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    rows = ["| " + " | ".join(cells(one)) + " |" for one in found]
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n" + "\n".join([*head, *rows]) + f"\n\n{END}{after}")


def draw(found: Sequence[Scaled], path: Path = PICTURE) -> None:
    """Draw memory and time over the calls, both logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"svg.hashsalt": "scale", "font.size": 9}):
        figure, (memory, elapsed) = plt.subplots(1, 2, figsize=(6.4, 2.8), layout="constrained")
        for target in dict.fromkeys(one.target for one in found):
            own = [one for one in found if one.target == target]
            calls, label = [one.calls for one in own], target.rpartition(":")[2]
            memory.plot(calls, [one.bytes / MIB for one in own], marker="o", label=label)
            elapsed.plot(calls, [one.elapsed_s for one in own], marker="o", label=label)
        memory.set_ylabel("MiB of both processes, at the highest")
        memory.set_ylim(bottom=0)
        elapsed.set_ylabel("seconds")
        elapsed.set_yscale("log")
        memory.legend(frameon=False)
        for axis in (memory, elapsed):
            axis.set_xscale("log")
            axis.set_xlabel("calls")
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())

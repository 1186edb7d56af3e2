"""Say what so few calls told: the confusion table of `make accuracy ARGS="--calls 12,20,50"`.

Wrong is a leak that was called flat although it grows by more than the stated floor and at least
as often as the stated horizon asks for, and a clean workload that was called growing. A clean one
that is called rising is counted and listed: within so few calls a bound that nobody declares
cannot be told from none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.proof.accuracy.document import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.proof.accuracy.judging import Outcome
    from bench.proof.accuracy.workload import Workload

PICTURE: Final = Path(__file__).parents[3] / "docs" / "pictures" / "accuracy-by-calls.svg"
WORDS: Final = ("growing", "rising", "inconclusive", "plateaued", "flat")
WRONG: Final = "wrong"
HEADER: Final = ["calls", "truth", *WORDS, WRONG]
COLOURS: Final = {
    "growing": "#b2182b",
    "rising": "#ef8a62",
    "inconclusive": "#bdbdbd",
    "plateaued": "#92c5de",
    "flat": "#2166ac",
    WRONG: "#000000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one check of so many calls said of one workload, and what is wrong about it, if any."""

    workload: Workload
    calls: int
    word: str
    fault: str = ""


def told(workload: Workload, truth: Mapping[str, float], calls: int, outcome: Outcome) -> Told:
    """Compare what a check of `calls` calls said with the label and the independent count."""
    fault = ""
    if outcome.document is None:
        fault = outcome.errors.strip() or f"exit {outcome.exit_code} and nothing said"
    elif outcome.calls > calls:
        fault = f"{outcome.calls} calls were run, {calls} were asked for"
    elif not workload.leaks and outcome.verdict == "growing":
        fault = "clean, and called growing"
    elif workload.leaks and outcome.exit_code == 0:
        fault = _denied(workload, truth, calls, outcome.document)
    return Told(workload=workload, calls=calls, word=outcome.verdict, fault=fault)


def _denied(
    workload: Workload, truth: Mapping[str, float], calls: int, document: Mapping[str, Any]
) -> str:
    """Say which claim a leak that was acquitted contradicts; nothing where none does."""
    horizon = document["horizon_calls"] or calls
    by_chance = workload.period > 1 and not workload.exact  # may stay away for any time
    if by_chance or workload.period > horizon or workload.begins_after >= calls:
        return ""
    floor, least = _floor(workload, document), _least(workload, truth)
    if floor is not None and least <= floor:
        return ""
    return f"leaks, and is called {document['verdict']} with a floor of {floor}"


def _floor(workload: Workload, document: Mapping[str, Any]) -> float | None:
    if workload.counter == "retained":
        return document["floor_bytes_per_call"]
    return document["resources"][f"{workload.counter}_floor"]


def _least(workload: Workload, truth: Mapping[str, float]) -> float:
    if workload.counter == "retained":
        return truth["low"] if workload.exact else truth["bytes_per_call"]
    return truth[f"{workload.counter}_per_call"]


def rows(every: Sequence[Told]) -> list[list[str]]:
    """Count the words by number of calls and by truth; a wrong word is counted as wrong alone."""
    found: Counter[tuple[int, bool, str]] = Counter()
    for one in every:
        found[one.calls, one.workload.leaks, WRONG if one.fault else one.word] += 1
    return [
        [str(calls), label, *(str(found[calls, leaks, word]) for word in (*WORDS, WRONG))]
        for calls in sorted({one.calls for one in every})
        for label, leaks in (("leak", True), ("clean", False))
    ]


def rising_and_clean(every: Sequence[Told]) -> dict[int, list[str]]:
    """Name the clean workloads that are called rising, by number of calls."""
    found: dict[int, list[str]] = {}
    for one in every:
        if one.word == "rising" and not one.workload.leaks:
            found.setdefault(one.calls, []).append(one.workload.name)
    return found


def markdown(every: Sequence[Told], end: str) -> str:
    """Render what few calls told as a section of docs/accuracy.md."""
    lists = [
        f"- {calls} calls: {', '.join(f'`{name}`' for name in names)}"
        for calls, names in sorted(rising_and_clean(every).items())
    ]
    return "\n\n".join(
        [
            end + ".",
            table(HEADER, rows(every)),
            f"![what is said, by number of calls](pictures/{PICTURE.name})",
            "Clean, and called rising:",
            "\n".join(lists) or "- none",
        ]
    )


def draw(every: Sequence[Told], path: Path = PICTURE) -> None:
    """Draw the shares of the words over the number of calls: leaks above, clean ones below."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    counted = rows(every)
    with plt.rc_context({"svg.hashsalt": "accuracy", "font.size": 9}):
        figure, axes = plt.subplots(2, 1, figsize=(6.4, 4.4), sharex=True, layout="constrained")
        for axis, label in zip(axes, ("leak", "clean"), strict=True):
            chosen = [row for row in counted if row[1] == label]
            names, base = [row[0] for row in chosen], [0.0] * len(chosen)
            for place, word in enumerate((*WORDS, WRONG), 2):
                height = [int(row[place]) for row in chosen]
                axis.bar(names, height, bottom=base, color=COLOURS[word], label=word, width=0.7)
                base = [low + more for low, more in zip(base, height, strict=True)]
            axis.set_ylabel({"leak": "workloads that leak", "clean": "clean workloads"}[label])
            axis.spines[["top", "right"]].set_visible(False)
        axes[1].set_xlabel("calls")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", frameon=False)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)

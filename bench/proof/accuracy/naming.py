"""Check each pattern of a cycle and its fix, and say where memcurve names or counts it wrongly.

A pattern is no leak: it must end with exit 0, its deferred objects and bytes be within 10 % of what
`gc.disable()`, calls and `gc.collect()` give, and the heaviest cycle go round by the labelled
references and no others, and be made at the labelled line. What is fixed must leave nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.proof.accuracy.patterns import PATTERNS
from bench.proof.accuracy.truth import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.proof.accuracy.patterns import Pattern

COLLECTED: Final = "bench/proof/accuracy/collected.py"
CALLS: Final = 100
MOST_OFF: Final = 0.10
NOTHING: Final = 0.01
"""Objects a call that a fix may leave: one in a hundred calls is the interpreter's own."""
_PLACE: Final = re.compile(r" \([^()]*:\d+\)")


class Left(NamedTuple):
    """What a call leaves to the collector: objects, and bytes of the allocators."""

    objects: float
    bytes: float


def left_by(target: str, python: str = sys.executable) -> Left:
    """Count what a target leaves, in a plain interpreter that knows nothing of memcurve."""
    printed = subprocess.run(
        [python, COLLECTED, target, str(CALLS)],
        cwd=ROOT,
        env={"PYTHONMALLOC": "malloc"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    return Left(*map(float, printed.split()))


def references(words: str) -> tuple[str, ...]:
    """Return the references that the words of a cycle go by, once round, without places in code."""
    return tuple(_PLACE.sub("", part) for part in words.split(" → ")[:-1])


def goes_by(words: str, labelled: tuple[str, ...]) -> bool:
    """Say whether a cycle goes round by these references, wherever its words begin."""
    found = references(words)
    turns = [found[number:] + found[:number] for number in range(len(found))]
    return labelled in turns


def faults_of(pattern: Pattern, true: Left, document: Mapping[str, Any]) -> list[str]:
    """Return what a check says wrongly of a pattern."""
    found, cycles = document["deferred"], document["cycles"]
    faults = [] if document["verdict"] == "flat" else [f"called {document['verdict']}"]
    for what in ("objects", "bytes"):
        told, truly = found[f"{what}_per_call"], getattr(true, what)
        if abs(told - truly) > MOST_OFF * truly:
            faults.append(f"{told:g} {what} a call wait, truly {truly:g}")
    words = cycles[0]["words"] if cycles else "no cycle"
    if not goes_by(words, pattern.references):
        faults.append(f"named as {words}")
    site = cycles[0]["site"] if cycles else ""
    if pattern.made not in source_of(site):
        faults.append(f"made at {site or 'no line'}, where {pattern.made!r} does not stand")
    return faults


def source_of(site: str) -> str:
    """Return the line of code at a place that is told relative to the repository, "" for none."""
    file, _, line = site.rpartition(":")
    return (ROOT / file).read_text().splitlines()[int(line) - 1] if file else ""


def faults_of_fixed(true: Left, document: Mapping[str, Any]) -> list[str]:
    """Return what a check says wrongly of a fix, and where it is none."""
    told = document["deferred"]["objects_per_call"]
    faults = [] if document["verdict"] == "flat" else [f"called {document['verdict']}"]
    faults += [f"the fix leaves {true.objects:g} objects a call"] if true.objects else []
    faults += [f"{told:g} objects a call wait after the fix"] if told > NOTHING else []
    faults += ["a cycle is named after the fix"] if document["cycles"] else []
    return faults


HEADER: Final = [
    "pattern",
    "fix",
    "true B",
    "reported B",
    "the cycle that is named",
    "made at",
    "faults",
]


def told(
    pattern: Pattern, check: Callable[[str], Mapping[str, Any]], python: str = sys.executable
) -> list[str]:
    """Check a pattern and its fix; return its row of the report, faults last.

    `check` measures in `python`.
    """
    true, document = left_by(pattern.target, python), check(pattern.target)
    faults = faults_of(pattern, true, document)
    faults += faults_of_fixed(left_by(pattern.fixed, python), check(pattern.fixed))
    words = document["cycles"][0]["words"] if document["cycles"] else ""
    return [
        pattern.name,
        pattern.fix,
        f"{true.bytes:,.0f}",
        f"{document['deferred']['bytes_per_call']:,.0f}",
        " → ".join(references(words)),
        source_of(document["cycles"][0]["site"]).strip() if document["cycles"] else "",
        "; ".join(faults),
    ]


def chosen(part: str) -> list[Pattern]:
    """Return the patterns with this in their name, or all for "patterns"."""
    return [one for one in PATTERNS if part in one.name or part == "patterns"]

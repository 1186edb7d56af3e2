"""Explain every labelled leak through `memcurve.check`, and say what is told wrongly."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import memcurve
from bench.proof.explain_accuracy.labels import LABELS as FIRST
from bench.proof.explain_accuracy.labels import Label, mistakes
from bench.proof.explain_accuracy.labels_of_more import MORE
from bench.proof.explain_accuracy.table import COLUMNS, PAGE, Explained, part_of, totals, with_part
from memcurve.model.errors import TargetError

LABELS = (*FIRST, *MORE)


def explain(label: Label, python: str | None = None) -> Explained:
    """Check one leak, in another interpreter if given, and say what its first culprit says wrongly.

    A leak whose libraries that interpreter has not is missing.
    """
    try:
        checked = memcurve.check(
            f"{label.target}:{label.name}",
            setup=f"{label.target}:{label.name}_setup" if label.setup else None,
            explain=True,
            grace=0.05,
            python=python,
        )
    except TargetError as error:
        if python is None or "No module named" not in str(error):
            raise
        return Explained(name=label.name, missing=str(error))
    first = checked.culprits[0] if checked.culprits else None
    fields = {name: getattr(first, name) for name in first.__struct_fields__} if first else None
    wrong = list(mistakes(label, fields))
    # on a busy machine an expensive call is run too few times to exclude a bound
    if not isinstance(checked.verdict, memcurve.Growing | memcurve.Rising):
        wrong.append(("verdict", f"the verdict is {type(checked.verdict).__name__}"))
    return Explained(name=label.name, judged=_judged(label), wrong=tuple(wrong))


def _judged(label: Label) -> tuple[str, ...]:
    unknown = {"bytes": not label.share, "advice": not label.advice}
    return tuple(column for column in COLUMNS if not unknown.get(column))


def _version_of(python: str | None) -> str:
    if python is None:
        return platform.python_version()
    asked = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Run the suite; exit 1 if one leak is explained wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="leaks to explain (default: all)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--python", help="measure in another interpreter: its path")
    parser.add_argument("--write", action="store_true", help="write docs/explain-accuracy.md")
    chosen = parser.parse_args()
    if chosen.write and chosen.names:
        parser.error("--write takes the whole suite: leave the names out")
    labels = [label for label in LABELS if not chosen.names or label.name in chosen.names]
    version, began = _version_of(chosen.python), time.monotonic()
    rows: list[Explained] = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for row in pool.map(partial(explain, python=chosen.python), labels):
            rows.append(row)
            state = "none " if row.missing else "WRONG" if row.wrong else "ok   "
            print(f"{state} {row.name}", flush=True)
            for column, text in row.wrong:
                print(f"      {column}: {text}", flush=True)
    print("  ".join(f"{name} {right}/{judged}" for name, (right, judged) in totals(rows).items()))
    ran = [row for row in rows if not row.missing]
    right = sum(row.right for row in ran)
    print(f"{right} of {len(ran)} explained rightly in {time.monotonic() - began:.0f} s")
    if chosen.write:
        PAGE.write_text(with_part(PAGE.read_text(), version, part_of(version, rows)))
    return 0 if right == len(ran) else 1


if __name__ == "__main__":
    sys.exit(main())

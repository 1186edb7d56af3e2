"""Explain every labelled leak through `memcurve.check`, and say what is told wrongly."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import memcurve
from bench.proof.explain_accuracy.labels import LABELS as FIRST
from bench.proof.explain_accuracy.labels import Label, mistakes
from bench.proof.explain_accuracy.labels_of_more import MORE

LABELS = (*FIRST, *MORE)
COLUMNS = ("type", "holder", "line", "bytes", "advice")


def explain(label: Label) -> tuple[list[tuple[str, str]], memcurve.Checked]:
    """Check one leak; return what its first culprit says wrongly, and all that was found."""
    checked = memcurve.check(
        f"{label.target}:{label.name}",
        setup=f"{label.target}:{label.name}_setup" if label.setup else None,
        explain=True,
        grace=0.05,
    )
    first = checked.culprits[0] if checked.culprits else None
    fields = {name: getattr(first, name) for name in first.__struct_fields__} if first else None
    wrong = list(mistakes(label, fields))
    # on a busy machine an expensive call is run too few times to exclude a bound
    if not isinstance(checked.verdict, memcurve.Growing | memcurve.Rising):
        wrong.append(("verdict", f"the verdict is {type(checked.verdict).__name__}"))
    return wrong, checked


def main() -> int:
    """Run the suite; exit 1 if one leak is explained wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="leaks to explain (default: all)")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    labels = [label for label in LABELS if not chosen.names or label.name in chosen.names]
    began, right = time.monotonic(), 0
    columns = dict.fromkeys((*COLUMNS, "verdict"), len(labels))
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for label, (wrong, checked) in zip(labels, pool.map(explain, labels), strict=True):
            right += not wrong
            print(f"{'ok  ' if not wrong else 'WRONG'} {label.name} ({checked.elapsed_s:.1f} s)")
            for column in {column for column, _ in wrong}:
                columns[column] -= 1
            for column, text in wrong:
                print(f"      {column}: {text}")
    print("  ".join(f"{name} {count}" for name, count in columns.items()))
    print(f"{right} of {len(labels)} explained rightly in {time.monotonic() - began:.0f} s")
    return 0 if right == len(labels) else 1


if __name__ == "__main__":
    sys.exit(main())

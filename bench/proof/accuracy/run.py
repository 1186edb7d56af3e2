"""Run the whole suite through `memcurve check`, print the confusion table, fail on one fault."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.proof.accuracy import few_calls, naming
from bench.proof.accuracy.document import table, write_section
from bench.proof.accuracy.judging import Judgement, Outcome, judge
from bench.proof.accuracy.load import burners
from bench.proof.accuracy.registry import WORKLOADS
from bench.proof.accuracy.truth import ROOT, load_truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.proof.accuracy.workload import Workload

TIMEOUT_S: Final = 180.0


def check(workload: Workload, extra: Sequence[str] = ()) -> Outcome:
    """Run one check of a workload in processes of its own."""
    setup = ["--setup", workload.setup] if workload.setup else []
    return check_target(workload.target, [*setup, *extra])


def check_target(target: str, extra: Sequence[str] = ()) -> Outcome:
    """Run one check in processes of its own; a run beyond 180 s is ended and has no document."""
    command = [str(Path(sys.executable).with_name("memcurve")), "check", target, "--json"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, *extra],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        printed, errors = "", f"still running after {TIMEOUT_S:g} s"
    return Outcome(
        exit_code=process.returncode,
        document=json.loads(printed) if printed.lstrip().startswith("{") else None,
        elapsed_s=time.perf_counter() - started,
        errors=errors,
    )


def cells(judgement: Judgement, truth: dict[str, float]) -> list[str]:
    """Return one row of the report: label, verdict, bytes, calls, seconds, faults."""
    workload, outcome = judgement.workload, judgement.outcome
    true, reported = "", ""
    if workload.counter != "retained":
        key = f"{workload.counter}_per_call"
        true = f"{truth[key]:g} {workload.counter}"
        if outcome.document:
            reported = f"{outcome.document['resources'][key]} {workload.counter}"
    elif workload.leaks:
        true = f"{truth['bytes_per_call']:,.1f}"
        if outcome.document:
            said = outcome.document["retained"]
            reported = "{:,.1f} [{:,.1f}, {:,.1f}]".format(
                *(said[key] or 0.0 for key in ("bytes_per_call", "low", "high"))
            )
    return [
        workload.name,
        "leak" if workload.leaks else "clean",
        outcome.verdict,
        true,
        reported,
        f"{outcome.calls:,}",
        f"{outcome.elapsed_s:.2f}",
        "; ".join(judgement.faults),
    ]


HEADER: Final = ["workload", "label", "verdict", "true B", "reported B", "calls", "s", "faults"]
WIDTHS: Final = [34, 6, 13, 14, 38, 7, 7, 0]

CONFUSION_HEADER: Final = ["truth", "said clean", "said leak", "inconclusive", "no result"]


def line(row: Sequence[str]) -> str:
    """Lay one row out for the terminal."""
    return "".join(f"{cell:<{width}}" for cell, width in zip(row, WIDTHS, strict=True)).rstrip()


def confusion(judgements: Iterable[Judgement]) -> list[list[str]]:
    """Count labels against what was said: rows are the truth."""
    counts: Counter[tuple[bool, str]] = Counter()
    for judgement in judgements:
        said = {0: "clean", 1: "leak", 3: "inconclusive"}
        counts[judgement.workload.leaks, said.get(judgement.outcome.exit_code, "no result")] += 1
    columns = ["clean", "leak", "inconclusive", "no result"]
    return [
        [label, *(str(counts[leaks, column]) for column in columns)]
        for label, leaks in (("clean", False), ("leak", True))
    ]


def summary(judgements: Sequence[Judgement], elapsed_s: float) -> str:
    """Say in one line what came out."""
    wrong = sum(not judgement.right for judgement in judgements)
    faulty = sum(bool(judgement.faults) for judgement in judgements)
    return (
        f"{len(judgements)} runs in {elapsed_s:.0f} s, {wrong} wrong verdicts, "
        f"{faulty} runs with a fault of any kind"
    )


def markdown(judgements: Sequence[Judgement], truth: dict[str, dict[str, float]], end: str) -> str:
    """Render the report as the generated section of docs/accuracy.md."""
    rows = [cells(judgement, truth[judgement.workload.name]) for judgement in judgements]
    return "\n\n".join(
        [end + ".", table(CONFUSION_HEADER, confusion(judgements)), table(HEADER, rows)]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-k", default="", help="only workloads with this in their name or kind; patterns"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeat", type=int, default=1, help="run everything so many times")
    parser.add_argument("--load", type=int, default=0, help="keep so many processors busy")
    parser.add_argument("--quiet", action="store_true", help="print only rows with a fault")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    parser.add_argument("--python", help="measure in another interpreter: its path")
    parser.add_argument(
        "--calls", type=numbers, help="run so few calls instead and no other: 12,20,50"
    )
    return parser.parse_args()


def numbers(text: str) -> tuple[int, ...]:
    """Return numbers that are given with commas between them."""
    return tuple(int(part) for part in text.split(","))


def of_few_calls(
    chosen: Sequence[Workload],
    truth: dict[str, dict[str, float]],
    options: argparse.Namespace,
    extra: Sequence[str],
) -> int:
    """Check every workload by each of the numbers of calls; print and write what they told."""
    started, every = time.perf_counter(), list[few_calls.Told]()
    asked = [(workload, calls) for calls in options.calls for workload in chosen]

    def outcome_of(pair: tuple[Workload, int]) -> Outcome:
        return check(pair[0], [*extra, "--calls", str(pair[1]), "--no-explain"])

    with burners(options.load), ThreadPoolExecutor(options.jobs) as pool:
        for (workload, calls), outcome in zip(asked, pool.map(outcome_of, asked), strict=True):
            every.append(few_calls.told(workload, truth[workload.name], calls, outcome))
            if every[-1].fault:
                print(f"{calls} calls of {workload.name}: {every[-1].fault}", flush=True)
    wrong = sum(bool(one.fault) for one in every)
    end = f"{len(every)} runs in {time.perf_counter() - started:.0f} s, {wrong} wrong"
    for row in [few_calls.HEADER, *few_calls.rows(every)]:
        print("".join(f"{cell:<14}" for cell in row))
    for calls, names in sorted(few_calls.rising_and_clean(every).items()):
        print(f"clean, and called rising in {calls} calls: {', '.join(names)}")
    print(end)
    if options.write:
        few_calls.draw(every)
        write_section("few calls", few_calls.markdown(every, end))
    return 1 if wrong else 0


def of_patterns(options: argparse.Namespace, extra: Sequence[str]) -> int:
    """Check how cycles are counted and named; print and write that, return how many are wrong."""
    patterns, python = naming.chosen(options.k), options.python or sys.executable

    def document_of(target: str) -> Mapping[str, Any]:
        outcome = check_target(target, extra)
        if outcome.document is None:
            raise RuntimeError(f"no result for {target}: {outcome.errors.strip()}")
        return outcome.document

    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda one: naming.told(one, document_of, python), patterns))
    wrong = sum(bool(row[-1]) for row in rows)
    end = f"{len(rows)} patterns of cycles and their fixes, {wrong} with a fault"
    for row in rows:
        if row[-1] or not options.quiet:
            print(f"{row[0]:<34}{row[-1] or row[4]}")
    print(end)
    if options.write and len(rows) == len(naming.PATTERNS):
        write_section("cycles", "\n\n".join([end + ".", table(naming.HEADER, rows)]))
    return wrong


def main() -> int:
    options = arguments()
    extra = ["--python", options.python] if options.python else []
    truth = load_truth()
    chosen = [each for each in WORKLOADS if options.k in each.name or options.k in each.kind]
    if options.calls:
        return of_few_calls(chosen, truth, options, extra)
    everything = [*extra, "--full"]  # references are counted, too
    started = time.perf_counter()
    judgements: list[Judgement] = []
    print(line(HEADER))
    with burners(options.load), ThreadPoolExecutor(options.jobs) as pool:
        every = chosen * options.repeat
        for workload, outcome in zip(
            every, pool.map(lambda each: check(each, everything), every), strict=True
        ):
            judgements.append(judge(workload, truth[workload.name], outcome))
            if judgements[-1].faults or not options.quiet:
                print(line(cells(judgements[-1], truth[workload.name])), flush=True)
            number, rest = divmod(len(judgements), len(chosen))
            if rest == 0 and options.repeat > 1:
                end = summary(judgements, time.perf_counter() - started)
                print(f"pass {number} of {options.repeat}: {end}", flush=True)
    end = summary(judgements, time.perf_counter() - started)
    for row in [CONFUSION_HEADER, *confusion(judgements)]:
        print("".join(f"{cell:<14}" for cell in row))
    print(end)
    if options.write and judgements:
        write_section("suite", markdown(judgements, truth, end))
    wrong = of_patterns(options, extra)
    return 1 if wrong or any(judgement.faults for judgement in judgements) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Spread a run over machines that do not know of each other, and put what they bring together.

A shard has whole scenarios: the designs of one are compared with each other, so they are measured
on one machine. Which shard has which follows from the run alone, so no machine asks another.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from memcurve.model.errors import RecordingError, ScenarioError
from memcurve.model.outcome import Outcome
from memcurve.model.scenario import Scenario
from memcurve.run.scenarios import judged
from memcurve.store.files import load_recording, recording_path, replace_file
from memcurve.store.findings import load_outcome, save_outcomes
from memcurve.store.shares import Share, load_share
from memcurve.store.unfinished import load_unfinished

Shard = tuple[int, int]
"""Its number, from 1, and how many there are."""


def names_of(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Return the names ``scenario/design`` of all designs."""
    return tuple(f"{one.name}/{design}" for one in scenarios for design in one.designs)


def dealt(scenarios: Sequence[Scenario], shard: Shard) -> list[Scenario]:
    """Return the scenarios of one shard: each goes to the first of those with fewest designs.

    Raises ScenarioError for a shard that would have nothing to measure.
    """
    number, of = shard
    hands: list[list[Scenario]] = [[] for _ in range(of)]
    for one in scenarios:
        min(hands, key=lambda hand: len(names_of(hand))).append(one)
    if not hands[number - 1]:
        raise ScenarioError(
            f"shard {number}/{of} has nothing to measure: there are {len(scenarios)} scenarios, "
            f"which are not divided; use at most {len(scenarios)} shards"
        )
    return hands[number - 1]


def share_of(
    scenarios: Sequence[Scenario], whole: Sequence[Scenario], shard: Shard | None, asked: str
) -> Share | None:
    """Return what a folder is to hold; None where it is the whole run."""
    if shard is None:
        return None
    number, of = shard
    return Share(
        number=number, of=of, asked=asked, designs=names_of(scenarios), whole=names_of(whole)
    )


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """The outcomes of all shards in the order of the run, and the designs that none brought."""

    whole: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    missing: tuple[str, ...]


def merged(folders: Sequence[Path]) -> Merged:
    """Read the shards of one run.

    Raises RecordingError where a shard is missing, there twice, of another run, or damaged, and
    where they were measured in environments whose bytes do not compare.
    """
    shares = {folder: load_share(folder) for folder in folders}
    first = _of_one_run(shares)
    found: dict[str, Outcome] = {}
    for folder, share in shares.items():
        found |= {name: _read(folder, name) for name in _kept(folder, share)}
    _of_one_environment(found)
    return Merged(
        whole=first.whole,
        outcomes=tuple(found[name] for name in first.whole if name in found),
        missing=tuple(name for name in first.whole if name not in found),
    )


def _of_one_run(shares: dict[Path, Share]) -> Share:
    """Return the first share, after asking that all of its run are there, each once."""
    folder, first = next(iter(shares.items()))
    for other, share in shares.items():
        for field in ("of", "asked", "whole"):
            if getattr(share, field) != getattr(first, field):
                what = "other designs" if field == "whole" else f"{field} {getattr(share, field)}"
                raise RecordingError(
                    f"{other}: {what} than in {folder}; merge the shards of one run"
                )
    counts = Counter(share.number for share in shares.values())
    numbers = range(1, first.of + 1)
    for words, wrong in (
        ("there twice", [number for number in numbers if counts[number] > 1]),
        ("missing", [number for number in numbers if not counts[number]]),
    ):
        if wrong:
            named = ", ".join(map(str, wrong[:5])) + (" …" if len(wrong) > 5 else "")
            raise RecordingError(
                f"of {first.of} shards {words}: {named}; name the folder of each once"
            )
    held = Counter(name for share in shares.values() for name in share.designs)
    if wrong_names := [name for name in first.whole if held[name] != 1]:
        raise RecordingError(f"{wrong_names[0]} is in {held[wrong_names[0]]} shards; run them anew")
    return first


def _kept(folder: Path, share: Share) -> list[str]:
    """Return the designs of a shard that were measured; of one that was ended these are few."""
    left = load_unfinished(folder)
    return [name for name in share.designs if left is None or name in left.done]


def _read(folder: Path, name: str) -> Outcome:
    scenario, _, design = name.partition("/")
    recording = load_recording(recording_path(folder, scenario, design))
    if f"{recording.scenario}/{recording.design}" != name:
        raise RecordingError(
            f"{folder}: holds {recording.scenario}/{recording.design} in the place of {name}; "
            "run that shard again"
        )
    return load_outcome(folder, recording, judged)


def _of_one_environment(outcomes: dict[str, Outcome]) -> None:
    keys = {
        outcome.recording.environment.key: name
        for name, outcome in outcomes.items()
        if outcome.recording.environment is not None
    }
    if len(keys) > 1:
        places = ", ".join(f"{name} in {key}" for key, name in sorted(keys.items()))
        raise RecordingError(f"bytes of different environments do not compare: {places}")


def save_merged(
    out: Path, folders: Sequence[Path], found: Merged, scenarios: Sequence[Scenario]
) -> tuple[Outcome, ...]:
    """Keep all outcomes in one folder, each with its flame graph; return them as kept."""
    kept = tuple(_with_graph(out, folders, outcome) for outcome in found.outcomes)
    save_outcomes(out, kept, scenarios=scenarios)
    return kept


def _with_graph(out: Path, folders: Sequence[Path], outcome: Outcome) -> Outcome:
    """Copy the flame graph of a design, by the name that it has and not by what is said of it."""
    explanation = outcome.explanation
    if explanation is None or not explanation.flame_graph:
        return outcome
    name = f"{outcome.recording.scenario}-{outcome.recording.design}.html"
    there = [path for folder in folders if (path := folder / "flamegraphs" / name).is_file()]
    place = out / "flamegraphs" / name
    if there and there[0].resolve() != place.resolve():
        replace_file(place, there[0].read_bytes())
    explanation = msgspec.structs.replace(explanation, flame_graph=str(place) if there else "")
    return msgspec.structs.replace(outcome, explanation=explanation)

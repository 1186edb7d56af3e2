"""The shards of a run, measured apart and merged, are the run."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcurve.model.errors import RecordingError, ScenarioError
from memcurve.model.scenario import Scenario, Target
from memcurve.run.shards import dealt, merged, names_of, share_of
from memcurve.store.shares import load_share, save_share
from tests.memcurve.outside import memcurve, one_line, written
from tests.thorough import thorough

MANY = """
import memcurve
first = memcurve.scenario("first", {"a": "jobs.py:clean", "b": "jobs.py:clean_too"}, calls=40)
second = memcurve.scenario(
    "second", {"a": "jobs.py:clean", "b": "jobs.py:leaks"}, calls=40, may_grow=("b",),
    leads=(memcurve.Lead(design="a", over="b", at_most={"live_bytes": 0.5}),),
)
third = memcurve.scenario("third", {"a": "jobs.py:LAST"}, calls=40)
"""
QUICK = ("many.py", "-q", "--quick", "--jobs", "1")


def _scenario(name: str, designs: int) -> Scenario:
    return Scenario(name=name, designs={f"d{n}": Target(call="m:f") for n in range(designs)})


@given(st.lists(st.integers(1, 6), min_size=1, max_size=20), st.integers(1, 20))
def test_each_scenario_is_whole_in_one_shard_and_none_has_much_more(
    sizes: list[int], of: int
) -> None:
    scenarios = [_scenario(f"s{number}", size) for number, size in enumerate(sizes)]
    hands = [dealt(scenarios, (n, of)) for n in range(1, min(of, len(sizes)) + 1)]
    assert sorted(one.name for hand in hands for one in hand) == sorted(s.name for s in scenarios)
    counts = [len(names_of(hand)) for hand in hands]
    assert max(counts) - min(counts) <= max(sizes)


def test_a_shard_with_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ScenarioError, match=r"3/3 has nothing to measure: .* at most 2 shards"):
        dealt([_scenario("a", 3), _scenario("b", 1)], (3, 3))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/3", "1/0", "1/3/3", "1/99999999"])
def test_what_is_no_shard_is_a_wrong_call(tmp_path: Path, text: str) -> None:
    written(tmp_path, many=MANY)
    done = memcurve(tmp_path, "run", "many.py", "--shard", text)
    assert done.returncode == 2
    assert "is no shard" in one_line(done.stderr)


def _measured(folder: Path) -> dict[str, Any]:
    """Return what a run decided and counted, without what a clock says.

    Bytes are those since the fifth call: what ran in a worker before decides where it starts.
    """
    counted = {}
    for path in sorted(folder.glob("recordings/*/*.json")):
        rows = json.loads(path.read_text())["passes"][0]["samples"]
        heaps = [rows["counters"].get(name, []) for name in ("python_bytes", "malloc_bytes")]
        grown = [[value - heap[5] for value in heap[5:]] for heap in heaps]
        counted[f"{path.parent.name}/{path.stem}"] = rows["calls"], grown
    summary = json.loads((folder / "summary.json").read_text())
    return {"counted": counted, "verdicts": _verdicts(summary)}


def _verdicts(summary: dict[str, Any]) -> Any:
    return summary["passed"], [
        (one["name"], one["winner"], [(each["name"], each["verdict"]) for each in one["designs"]])
        for one in summary["scenarios"]
    ]


@pytest.mark.parametrize(("last", "code"), [("leaks", 1), pytest.param("gone", 2, marks=thorough)])
def test_three_shards_merged_equal_one_run(tmp_path: Path, last: str, code: int) -> None:
    written(tmp_path, many=MANY.replace("LAST", last))
    one = memcurve(tmp_path, "run", *QUICK, "--out", "one")
    for number in (1, 2, 3):
        place = ("--shard", f"{number}/3", "--out", f"shard-{number}")
        done = memcurve(tmp_path, "run", *QUICK, *place)
        assert done.returncode == (code if number == 3 else 0), done.stderr
    shards = [f"shard-{number}" for number in (3, 1, 2)]
    done = memcurve(tmp_path, "merge", *shards, "--scenarios", "many.py", "--out", "merged")
    assert (done.returncode, done.stderr) == (code, "")
    assert one.returncode == code
    assert _measured(tmp_path / "merged") == _measured(tmp_path / "one")
    assert done.stdout.replace("merged/", "one/") == one.stdout
    assert memcurve(tmp_path, "report", "many.py", "--out", "merged").returncode == code


def test_a_shard_that_was_ended_is_missing_in_the_whole(tmp_path: Path) -> None:
    written(tmp_path, many=MANY.replace("LAST", "clean"))
    for number in (1, 2):
        memcurve(tmp_path, "run", *QUICK, "--shard", f"{number}/2", "--out", f"shard-{number}")
    ended = {"begun_at": "", "asked": "", "designs": ["second/a", "second/b"], "done": ["second/a"]}
    (tmp_path / "shard-2" / "unfinished.json").write_text(
        json.dumps({"schema_version": 1, **ended})
    )
    done = memcurve(tmp_path, "merge", "shard-1", "shard-2", "--scenarios", "many.py")
    assert done.returncode == 2
    assert "ended early: 1 not measured yet" in done.stdout


class Shards:
    """Two folders that promise the two shards of a run, with nothing in them."""

    def __init__(self, folder: Path) -> None:
        whole = [_scenario("a", 1), _scenario("b", 1)]
        self.folders = [folder / "1", folder / "2"]
        for number, place in enumerate(self.folders, 1):
            save_share(place, share_of(dealt(whole, (number, 2)), whole, (number, 2), "calls=9"))

    def change(self, **fields: Any) -> None:
        share = msgspec.structs.replace(load_share(self.folders[1]), **fields)
        save_share(self.folders[1], share)


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"of": 3}, "2: of 3 than in", id="of-another-number"),
        pytest.param({"asked": "calls=8"}, "2: asked calls=8 than in", id="asked-otherwise"),
        pytest.param({"whole": ("b/d0",)}, "2: other designs than in", id="another-run"),
        pytest.param({"number": 1}, "of 2 shards there twice: 1;", id="twice"),
        pytest.param({"designs": ("a/d0",)}, "a/d0 is in 2 shards", id="held-twice"),
        pytest.param({"designs": ()}, "b/d0 is in 0 shards", id="held-by-none"),
        pytest.param({"number": 3}, "share.json: number: no shard is 3 of 2", id="no-number"),
        pytest.param({"designs": ("x/y",)}, "designs: 'x/y' is none of the run's", id="strange"),
        pytest.param({"schema_version": 9}, "version 9 is not 1", id="version"),
    ],
)
def test_what_is_no_share_of_that_run_is_refused(
    shards: Shards, fields: dict[str, Any], said: str
) -> None:
    shards.change(**fields)
    with pytest.raises(RecordingError, match=said):
        merged(shards.folders)


def test_a_missing_shard_is_named(shards: Shards) -> None:
    with pytest.raises(RecordingError, match="of 2 shards missing: 2; name the folder of each"):
        merged(shards.folders[:1])


def test_a_folder_of_a_whole_run_is_no_shard(shards: Shards) -> None:
    save_share(shards.folders[0], None)
    with pytest.raises(RecordingError, match="holds no shard of a run"):
        merged(shards.folders)


def test_a_shard_without_its_recordings_is_no_part_of_a_pass(shards: Shards) -> None:
    with pytest.raises(RecordingError, match=r"d0\.json: No such file"):
        merged(shards.folders)


def test_shards_of_two_environments_are_not_put_together(tmp_path: Path) -> None:
    written(tmp_path, many=MANY.replace("LAST", "clean"))
    memcurve(tmp_path, "run", *QUICK, "--shard", "1/2", "--out", "1", "-k", "first or third")
    memcurve(tmp_path, "run", *QUICK, "--shard", "2/2", "--out", "2", "-k", "first or third")
    place = tmp_path / "2" / "recordings" / "third" / "a.json"
    recording = json.loads(place.read_text())
    recording["environment"]["libc"] = "musl 1.2"
    place.write_text(json.dumps(recording))
    with pytest.raises(RecordingError, match=r"different environments do not compare: first/b in"):
        merged([tmp_path / "1", tmp_path / "2"])


def test_a_shard_is_resumed_as_that_shard(tmp_path: Path) -> None:
    written(tmp_path, many=MANY.replace("LAST", "clean"))
    memcurve(tmp_path, "run", *QUICK, "--shard", "1/2")
    shutil.copy(tmp_path / "reports" / "share.json", tmp_path / "reports" / "kept")
    left = {"begun_at": "", "asked": "calls=default shard=2/2", "designs": [], "done": []}
    (tmp_path / "reports" / "unfinished.json").write_text(json.dumps(left | {"schema_version": 1}))
    done = memcurve(tmp_path, "run", *QUICK, "--shard", "1/2", "--resume")
    assert done.returncode == 2
    assert "shard=1/2; resume it as it was begun" in one_line(done.stderr)
    whole = memcurve(tmp_path, "run", *QUICK, "-k", "third")
    assert whole.returncode == 0
    assert not (tmp_path / "reports" / "share.json").exists(), "a whole run is no shard"

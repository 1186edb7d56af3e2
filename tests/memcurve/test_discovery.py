"""Scenarios are found in files and folders and chosen by parts of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcurve import scenario
from memcurve.model.errors import ScenarioError
from memcurve.model.scenario import Lead
from memcurve.run.discovery import discover, only, select

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
from memcurve import scenario
{name} = scenario("{name}", {{"naive": "jobs.py:naive", "pooled": "package.jobs:pooled"}})
"""


def write(folder: Path, name: str) -> Path:
    path = folder / f"bench_{name}.py"
    path.write_text(FILE.format(name=name))
    return path


def test_a_folder_gives_the_scenarios_of_its_files(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two")
    (tmp_path / "_shared.py").write_text("raise SystemExit")
    assert [one.name for one in discover([tmp_path])] == ["one", "two"]


def test_targets_do_not_depend_on_the_current_folder(tmp_path: Path) -> None:
    found = discover([write(tmp_path, "three")])[0]
    assert found.designs["naive"].call == f"{tmp_path / 'jobs.py'}:naive"
    assert found.designs["pooled"].call == "package.jobs:pooled"
    assert str(tmp_path) in found.designs["pooled"].paths


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "four")
    (tmp_path / "other.py").write_text(FILE.format(name="four"))
    with pytest.raises(ScenarioError, match="'four' is there twice"):
        discover([tmp_path])


@pytest.mark.parametrize(
    ("text", "message"),
    [("import nothing_of_this_name", "cannot be imported"), ("x = 1", "no scenarios")],
)
def test_a_file_without_scenarios_says_why(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "empty.py"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=message):
        discover([path])


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file or folder"):
        discover([tmp_path / "missing.py"])


MADE = [
    scenario(
        "rag_client",
        {"naive": "m:f", "pooled": "m:g"},
        leads=(Lead(design="pooled", over="naive", at_most={"fds": 1.0}),),
    ),
    scenario("rag-node", {"naive": "m:f", "pooled": "m:g"}),
]


def chosen(expression: str) -> list[str]:
    return [f"{one.name}/{d}" for one in select(MADE, expression) for d in one.designs]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("rag_client", ["rag_client/naive", "rag_client/pooled"]),
        ("rag_client/pooled", ["rag_client/pooled"]),
        ("RAG and not naive", ["rag_client/pooled", "rag-node/pooled"]),
        ("(client or node) and naive", ["rag_client/naive", "rag-node/naive"]),
        ("rag-node", ["rag-node/naive", "rag-node/pooled"]),
    ],
)
def test_expressions_join_parts_of_names(expression: str, names: list[str]) -> None:
    assert chosen(expression) == names


@pytest.mark.parametrize("expression", ["rag and", "(", "nothing", "1 + 1"])
def test_an_expression_that_chooses_nothing_is_an_error(expression: str) -> None:
    with pytest.raises(ScenarioError, match="-k"):
        chosen(expression)


def test_a_lead_needs_both_of_its_designs() -> None:
    assert only(MADE[0], ["pooled"]).leads == ()
    assert only(MADE[0], ["pooled", "naive"]).leads == MADE[0].leads


def test_a_scenario_names_only_designs_that_it_has() -> None:
    with pytest.raises(ScenarioError, match="no design 'poled'"):
        scenario("one", {"pooled": "m:f"}, may_grow=("poled",))

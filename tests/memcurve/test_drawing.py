"""Drawings of cycles and holders, with graphviz and without it."""

import shutil

import pytest

from memcurve.explain.cycle_drawing import as_dot, as_svg, on_circle
from memcurve.explain.graphviz import by_dot, quoted
from memcurve.explain.holder_drawing import holding_svg, in_steps, path_as_dot
from memcurve.model.answers import PathStep
from memcurve.model.findings import Culprit, Cycle, Edge

CYCLE = Cycle(
    words="app.Left.right → app.Right.left → app.Left",
    per_call=1.0,
    objects=2,
    bytes=200,
    members=("app.Left", "app.Right"),
    edges=(
        Edge(source=0, target=1, label=".right"),
        Edge(source=1, target=0, label=".left"),
        Edge(source=1, target=1, label="<self>"),
    ),
)
CULPRIT = Culprit(
    type="httpx.AsyncClient",
    per_call=1.0,
    bytes_per_call=100.0,
    root="module global",
    steps=(
        PathStep("app.manager", "app.Manager"),
        PathStep(".runs", "dict"),
        PathStep("[*]", "app.Run"),
    ),
)


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def test_every_member_and_reference_of_a_cycle_is_in_the_graph() -> None:
    text = as_dot(CYCLE)
    assert 'n0 -> n1 [label=".right"' in text
    assert 'n1 [label="app.Right"]' in text


@pytest.mark.usefixtures("no_dot")
def test_without_graphviz_a_cycle_is_drawn_on_a_circle() -> None:
    assert by_dot(as_dot(CYCLE)) == ""
    text = as_svg(CYCLE)
    assert text == on_circle(CYCLE)
    assert "app.Right" in text
    assert "&lt;self&gt;" in text


@pytest.mark.usefixtures("no_dot")
def test_without_graphviz_a_holder_is_drawn_step_below_step() -> None:
    text = holding_svg(CULPRIT, "digraph { a -> b }")
    assert text == in_steps(CULPRIT)
    assert text.index("app.manager") < text.index("↓ .runs") < text.index("app.Run")


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graphviz_draws_the_cycle_the_path_and_the_references() -> None:
    assert "app.Left" in as_svg(CYCLE)
    assert "app.Run" in holding_svg(CULPRIT)
    assert "whoever" in holding_svg(CULPRIT, 'digraph { "whoever" -> b }')


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_a_graph_that_graphviz_refuses_is_replaced_by_the_path() -> None:
    assert "app.Run" in holding_svg(CULPRIT, "no graph at all")


def test_a_quote_in_a_key_does_not_end_the_text() -> None:
    assert quoted('["a"] \\') == '"[\\"a\\"] \\\\"'
    assert 'label="app.manager: app.Manager"' in path_as_dot(CULPRIT)

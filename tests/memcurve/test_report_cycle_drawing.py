"""A cycle is drawn so that it can be read: whole if it is small, else its shortest way round."""

from memcurve.model.findings import Cycle, Edge
from memcurve.report.cycle_drawing import MOST_MEMBERS, draw_cycle, shortest_ring

WIDTH, HEIGHT = 520, 240


def cycle(*members: str, links: list[tuple[int, int]]) -> Cycle:
    edges = tuple(Edge(source=a, target=b, label=f".{members[b]}") for a, b in links)
    return Cycle(
        words="…", per_call=1.0, objects=len(members), bytes=64, members=members, edges=edges
    )


def test_a_small_cycle_is_drawn_whole() -> None:
    drawn = draw_cycle(cycle("a", "b", "c", links=[(0, 1), (1, 2), (2, 0), (1, 0)]))
    assert drawn is not None
    assert [node.name for node in drawn.nodes] == ["a", "b", "c"]
    assert len(drawn.arcs) == 4


def test_of_a_large_one_only_the_shortest_way_round_is_drawn() -> None:
    names = tuple(f"n{i}" for i in range(40))
    around = [(i, (i + 1) % 40) for i in range(40)]
    drawn = draw_cycle(cycle(*names, links=[*around, (22, 20)]))
    assert drawn is not None
    assert [node.name for node in drawn.nodes] == ["n20", "n21", "n22"]
    assert [arc.label for arc in drawn.arcs] == [".n21", ".n22", ".n20"]


def test_a_long_way_round_is_cut_where_it_cannot_be_read() -> None:
    names = tuple(f"n{i}" for i in range(40))
    drawn = draw_cycle(cycle(*names, links=[(i, (i + 1) % 40) for i in range(40)]))
    assert drawn is not None
    assert len(drawn.nodes) == MOST_MEMBERS


def test_references_without_a_way_back_are_no_ring() -> None:
    assert shortest_ring([(0, 1), (1, 2), (2, 2)]) == []


def test_an_object_that_refers_to_itself_is_a_loop_inside_the_picture() -> None:
    drawn = draw_cycle(cycle("link", links=[(0, 0)]))
    assert drawn is not None
    (arc,), (node,) = drawn.arcs, drawn.nodes
    assert arc.path.count("C") == 1
    assert node.y < arc.y < HEIGHT


def test_a_name_ends_inside_the_picture_and_is_there_in_full_too() -> None:
    long = "package.module.Class" * 4
    drawn = draw_cycle(cycle("a", long, "c", long, links=[(0, 1), (1, 2), (2, 3), (3, 0)]))
    assert drawn is not None
    right = next(node for node in drawn.nodes if node.anchor == "start")
    assert right.name == long
    assert right.text.startswith("…")
    assert right.text_x + 7.6 * len(right.text) < WIDTH

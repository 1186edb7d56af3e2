"""What child processes gain is a culprit with their role, and this process is not traced for it."""

import pytest

from memcurve.explain.child_culprits import CHILD, UNNAMED, in_children
from memcurve.explain.culprits import join
from memcurve.explain.figures import Growth
from memcurve.model.findings import NOT_EXPLAINED
from memcurve.model.recording import ChildProcess, PassRecord

NOTHING = PassRecord(kind="survivors", mode="settled")


def child(role: str, gained: int) -> ChildProcess:
    return ChildProcess(pid=7, role=role, command="x", bytes=gained + 1000, gained=gained)


def growth(in_children: float, *children: ChildProcess, heaps: float = 0.0) -> Growth:
    return Growth(
        scenario="jobs",
        bytes_per_call=in_children + heaps,
        python_per_call=heaps,
        native_per_call=0.0,
        children_per_call=in_children,
        children=children,
    )


def test_the_rate_is_dealt_out_by_what_each_role_gained() -> None:
    grown = growth(400.0, child("pool worker", 200), child("pool worker", 100), child("cat", 100))
    dealt = {one.path: one.bytes_per_call for one in in_children(grown)}
    assert dealt == {("pool worker",): 300.0, ("cat",): 100.0}


def test_a_child_that_gained_nothing_is_no_culprit() -> None:
    grown = growth(400.0, child("pool worker", 200), child("tracker", 0), child("cat", -50))
    assert [one.path for one in in_children(grown)] == [("pool worker",)]
    assert list(in_children(growth(0.0, child("pool worker", 200), heaps=400.0))) == []


def test_children_that_had_ended_are_told_as_such() -> None:
    assert [one.path for one in in_children(growth(400.0))] == [(UNNAMED,)]


def test_processes_of_one_role_have_one_mark_whatever_their_numbers() -> None:
    one, other = (next(iter(in_children(growth(size, child("cat", 9))))) for size in (400.0, 50.0))
    assert one.fingerprint == other.fingerprint


def test_growth_in_children_is_explained_by_them() -> None:
    explanation = join(growth(400.0, child("pool worker", 200)), NOTHING)
    assert [(one.root, one.share) for one in explanation.culprits] == [(CHILD, 1.0)]


def test_what_grows_beside_children_stays_open() -> None:
    explanation = join(growth(300.0, child("pool worker", 200), heaps=100.0), NOTHING)
    assert [(one.root, one.share) for one in explanation.culprits if one.root] == [(CHILD, 0.75)]
    assert [one.share for one in explanation.culprits if one.type == NOT_EXPLAINED] == [0.25]


@pytest.mark.parametrize(
    ("in_child", "heaps", "elsewhere"),
    [(400.0, 0.0, True), (400.0, 40.0, False), (0.0, 40.0, False)],
)
def test_this_process_is_traced_unless_children_gain_nearly_all(
    in_child: float, heaps: float, elsewhere: bool
) -> None:
    assert growth(in_child, heaps=heaps).is_elsewhere is elsewhere

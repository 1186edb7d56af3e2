"""The table of explanations: a part for each interpreter, and what was told wrongly in words."""

from bench.proof.explain_accuracy.table import Explained, part_of, totals, with_part

ROWS = [
    Explained(name="registry", judged=("type", "holder", "line", "verdict")),
    Explained(name="cache", wrong=(("holder", "root |x|, not y"),)),
    Explained(name="frame", missing="No module named 'pandas'"),
]


def test_a_column_counts_the_leaks_that_ran_and_whose_label_states_it() -> None:
    found = totals(ROWS)
    assert (found["type"], found["holder"], found["bytes"]) == ((2, 2), (1, 2), (1, 1))


def test_what_is_wrong_and_what_could_not_run_is_named() -> None:
    part = part_of("3.11.7", ROWS)
    assert "1 of 2 explained rightly" in part
    assert "- `cache`: holder: `root /x/, not y`" in part
    assert part.rstrip().endswith("`frame`.")


def test_the_part_of_one_interpreter_is_replaced_and_others_stay() -> None:
    page = with_part(with_part("# Page\n", "3.11.7", "old\n"), "3.13.0", "other\n")
    again = with_part(page, "3.11.7", "new\n")
    assert "old" not in again
    assert again.index("new") < again.index("other")
    assert with_part(again, "3.11.7", "new\n") == again

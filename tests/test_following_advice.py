"""Whoever does what the advice of a labelled leak says has a workload that keeps nothing.

Each takes seconds: `make thorough` follows all, and without it the first of each file is followed.
"""

import importlib.util

import pytest

import memcurve
from bench.proof.explain_accuracy.labels import Label
from bench.proof.explain_accuracy.labels_of_more import MORE, mended
from tests.thorough import ASKED

MENDED = [label for label in MORE if mended(label)]
FIRST = list({label.file: label for label in reversed(MENDED)}.values())
FOLLOWED = MENDED if ASKED else FIRST
NEEDED = {"numpy_view": "numpy", "pyplot_figure": "matplotlib"}


@pytest.mark.parametrize("label", FOLLOWED, ids=[label.name for label in FOLLOWED])
def test_following_the_advice_of_a_leak_ends_it(label: Label) -> None:
    needed = label.name.partition("_")[0] if label.setup else "memcurve"
    if importlib.util.find_spec(NEEDED.get(label.name, needed)) is None:
        pytest.skip(f"{needed} is not installed")
    checked = memcurve.check(
        f"{label.target}:{label.name}_mended",
        setup=f"{label.target}:{label.name}_setup" if label.setup else None,
        explain=False,
        grace=0.05,
    )
    assert isinstance(checked.verdict, memcurve.Flat | memcurve.Plateaued), checked.verdict


def test_every_kind_of_leak_has_one_that_is_mended() -> None:
    assert {label.file for label in MENDED} == {label.file for label in MORE}

"""Fingerprints and acknowledged leaks."""

import datetime

import pytest

from memcurve.explain.fingerprint import file_of, fingerprint
from memcurve.explain.known import acknowledged, mark_known, parse_known
from memcurve.model.errors import KnownLeaksError
from memcurve.model.findings import Culprit

PATH = ("app.KEPT: list", "[*]: function work.<locals>.run (/srv/app/jobs.py:43)")
TODAY = datetime.date(2026, 11, 22)
FILE = """
[[leak]]
fingerprint = "0123456789ab"
reason = "the vendor never closes it"
link = "https://example.org/12"
expires = {expires}
"""


def mark(path: tuple[str, ...] = PATH, scenario: str = "check", place: str = "") -> str:
    return fingerprint(scenario, "app.Session", "module global", path, place)


def test_a_moved_line_or_folder_does_not_change_a_fingerprint() -> None:
    moved = (PATH[0], "[*]: function work.<locals>.run (/home/ci/jobs.py:97)")
    assert mark(moved) == mark()


def test_an_address_or_a_key_does_not_change_a_fingerprint() -> None:
    assert mark(("app.KEPT[17]: list",)) == mark(("app.KEPT[98]: list",))
    assert mark(("object at 0x7f01",)) == mark(("object at 0xab93",))


def test_another_holder_or_scenario_has_another_fingerprint() -> None:
    assert len({mark(), mark(("app.OTHER: list",)), mark(scenario="rag"), mark(place="a")}) == 4


def test_the_place_of_a_native_leak_is_told_without_folder_and_line() -> None:
    assert file_of("/a/venv/site-packages/pkg/mod.py:12") == "pkg/mod.py"


def culprit(
    share: float = 1.0, bytes_per_call: float = 100.0, mark: str = "0123456789ab"
) -> Culprit:
    return Culprit(
        type="app.Session",
        per_call=1.0,
        bytes_per_call=bytes_per_call,
        share=share,
        fingerprint=mark,
    )


def test_a_known_leak_is_reported_and_acknowledged() -> None:
    known = parse_known(FILE.format(expires="2026-12-31"))
    (marked,) = mark_known([culprit()], known, TODAY)
    assert marked.known == "until 2026-12-31: the vendor never closes it (https://example.org/12)"
    assert acknowledged([culprit()], known, TODAY)


def test_an_expired_acknowledgement_fails_again() -> None:
    known = parse_known(FILE.format(expires="2026-11-21"))
    (marked,) = mark_known([culprit()], known, TODAY)
    assert marked.known.startswith("expired on 2026-11-21")
    assert not acknowledged([culprit()], known, TODAY)


def test_a_new_leak_beside_a_known_one_is_not_acknowledged() -> None:
    known = parse_known(FILE.format(expires="2026-12-31"))
    both = [culprit(0.5, 50.0), culprit(0.5, 50.0, mark="another")]
    assert not acknowledged(both, known, TODAY)


def test_a_file_that_says_too_little_is_refused_by_name() -> None:
    with pytest.raises(KnownLeaksError, match=r"known-leaks.toml.*reason"):
        parse_known('[[leak]]\nfingerprint = "a"\nexpires = 2026-12-31\n')


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(KnownLeaksError, match="until"):
        parse_known(FILE.format(expires="2026-12-31") + 'until = "2027"\n')

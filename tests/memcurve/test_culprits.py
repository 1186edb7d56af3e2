"""Joining: from what the passes found to one ranked list."""

from typing import Any

import msgspec
import pytest

from memcurve.explain.culprits import add_lines, join
from memcurve.explain.figures import Growth
from memcurve.model.findings import (
    NOT_EXPLAINED,
    NOT_KNOWN,
    OUTSIDE,
    Culprit,
    Explanation,
)
from memcurve.model.recording import Failure, PassKind, PassRecord
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import ReleaseSurvey, UntrackedObjects
from memcurve.report.causes import lost_text

SITE = ["/srv/app/jobs.py", 12]


def growth(size: float = 1000.0, **more: Any) -> Growth:
    return Growth(
        **{"scenario": "check", "bytes_per_call": size, "python_per_call": size}
        | {"native_per_call": 0.0}
        | more
    )


MALLOC = {"python_per_call": 0.0, "native_per_call": 1000.0}


def counted(*lines: tuple[str, int, int, int, int]) -> PassRecord:
    """A count by lines over ten calls: (file, line, position of the caller, python, malloc)."""
    rows = [
        ["work", file, line, above, python, malloc] for file, line, above, python, malloc in lines
    ]
    return answered("allocations", stop={"lines": rows, "calls": 10})


def answered(kind: PassKind, **answers: Any) -> PassRecord:
    """A pass whose stages answered this, in the form that a worker sends."""
    return PassRecord(kind=kind, mode="settled", surveys=msgspec.convert(answers, Surveys))


def group(**more: Any) -> dict[str, Any]:
    return {
        "type": "app.Session",
        "objects": 50,
        "bytes": 40_000,
        "root": "module global",
        "path": [["app.SESSIONS", "dict"], ["[*]", "app.Session"]],
        "holder": "dict",
        "entries_before": 10,
        "entries_after": 110,
        "entries_bytes": 0,
        "bound": "",
        "traits": [],
        "types": [["app.Session", 50, 40_000]],
        **more,
    }


def survivors(
    *groups: dict[str, Any], released: tuple[dict[str, Any], ...] = (), **more: Any
) -> PassRecord:
    """A survivors pass that found these groups; `more` is what it found besides."""
    made = [{one["type"]: [SITE, ["/usr/lib/python3.11/asyncio/events.py", 80]]} for one in groups]
    return answered(
        "survivors",
        survivors={"calls": 50, "calls_since_mark": 100, "groups": list(groups), **more},
        sites={"sites": made},
        release={"released": released},
    )


def traced(calls: int, *stacks: tuple[int, int]) -> PassRecord:
    """An allocations pass of so many calls: (line, bytes) that are live after it."""
    rows = [
        [[["work", "/srv/app/native.py", line]], False, size, size // 100] for line, size in stacks
    ]
    stop = {
        "stacks": rows,
        "peak": [],
        "peak_bytes": 0,
        "calls": calls,
        "tracer": "memray",
        "sees_malloc": True,
    }
    return answered("allocations", stop=stop)


def explained(record: PassRecord, size: float = 1000.0, **more: Any) -> Explanation:
    return join(growth(size, **more), record, (traced(10), traced(30)))


def causes(explanation: Explanation) -> tuple[Culprit, ...]:
    """The culprits without the row of what is left."""
    return tuple(one for one in explanation.culprits if one.type != NOT_EXPLAINED)


def test_a_group_is_a_culprit_with_count_bytes_share_and_line() -> None:
    (culprit,) = causes(explained(survivors(group())))
    assert (culprit.type, culprit.per_call, culprit.bytes_per_call) == ("app.Session", 1.0, 800.0)
    assert (culprit.share, culprit.site) == (0.8, "/srv/app/jobs.py:12")


def test_what_letting_go_freed_counts_more_than_the_sizes() -> None:
    freed = {"group": 0, "python": 5_000, "malloc": 95_000, "heads": 100, "steps": []}
    record = survivors(group(), released=(freed,))
    (culprit,) = explained(record, native_per_call=950.0).culprits
    assert (culprit.bytes_per_call, culprit.native_per_call) == (1000.0, 950.0)


def test_native_weight_is_named_after_the_client_that_owns_it() -> None:
    steps = [
        [".client", "httpx.AsyncClient", "httpx.AsyncClient", 900],
        ["._ssl_context", "ssl.SSLContext", "ssl.SSLContext", 900],
    ]
    freed = {"group": 0, "python": 0, "malloc": 90_000, "heads": 100, "steps": steps}
    (culprit,) = causes(explained(survivors(group(), released=(freed,))))
    assert culprit.type == "httpx.AsyncClient"
    assert culprit.path[-1] == "._ssl_context: ssl.SSLContext"
    assert "client" in culprit.advice


def test_a_client_is_named_rather_than_the_connection_inside_it() -> None:
    steps = [
        [".http", "httpx.AsyncClient", "httpx.AsyncClient", 900],
        ["._pool", "httpcore.AsyncConnectionPool", "httpcore.AsyncConnectionPool", 900],
        ["[*]", "httpcore.AsyncHTTPConnection", "httpcore.AsyncHTTPConnection", 900],
    ]
    freed = {"group": 0, "python": 0, "malloc": 90_000, "heads": 100, "steps": steps}
    (culprit,) = causes(explained(survivors(group(), released=(freed,))))
    assert culprit.type == "httpx.AsyncClient"


def test_growth_that_no_object_explains_is_charged_to_the_line_that_grows() -> None:
    short, long = traced(10, (7, 9_000), (8, 500)), traced(30, (7, 29_000), (8, 500))
    found = join(growth(**MALLOC), survivors(), (short, long))
    (culprit,) = found.culprits
    assert (culprit.root, culprit.site) == (OUTSIDE, "/srv/app/native.py:7")
    assert culprit.bytes_per_call == 1000.0


def test_a_line_that_gains_much_less_than_the_growth_is_not_blamed_for_it() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 15_000))
    assert [site.bytes_per_call for site in join(growth(), survivors(), (short, long)).sites] == [
        300
    ]
    assert causes(join(growth(**MALLOC), survivors(), (short, long))) == ()


def test_a_line_is_not_blamed_for_what_grows_in_the_other_heap() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 29_000))
    assert causes(join(growth(), survivors(), (short, long))) == ()


def test_a_stack_that_only_holds_something_is_no_site() -> None:
    short, long = traced(10, (8, 5_000)), traced(30, (8, 5_000))
    assert join(growth(), survivors(), (short, long)).sites == ()


def test_growth_that_is_not_proved_has_no_culprit() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 29_000))
    assert join(growth(proved=False), survivors(), (short, long)).culprits == ()


def test_the_heaviest_culprit_comes_first() -> None:
    light = group(type="app.Light", bytes=5_000)
    found = causes(explained(survivors(light, group())))
    assert [culprit.type for culprit in found] == ["app.Session", "app.Light"]


def test_descriptors_that_no_object_holds_come_first() -> None:
    record = survivors(group(), descriptors=[["pipe", 100]], files=False)
    first, second = causes(explained(record, fds_per_call=1.0))
    assert (first.type, second.type) == ("open descriptor (pipe)", "app.Session")


def test_descriptors_of_sockets_that_survive_come_behind_who_keeps_them() -> None:
    record = survivors(group(), descriptors=[["socket", 100]], files=True)
    first, second = causes(explained(record, fds_per_call=1.0))
    assert (first.type, second.type) == ("app.Session", "open descriptor (socket)")


def test_what_frees_less_than_its_sizes_counts_with_these() -> None:
    freed = {"group": 0, "python": 1_000, "malloc": 0, "heads": 100, "steps": []}
    (culprit,) = causes(explained(survivors(group(), released=(freed,))))
    assert culprit.bytes_per_call == 800.0


def test_what_nothing_leads_to_once_its_holder_let_go_is_held_outside_python() -> None:
    lost = {"group": 0, "python": 0, "malloc": 0, "heads": 0, "steps": [], "root": OUTSIDE}
    (culprit,) = causes(explained(survivors(group(), released=(lost,))))
    assert (culprit.root, culprit.path) == (OUTSIDE, (OUTSIDE,))


MAIN = ("/srv/app/main.py", 2, -1, 0, 0)


def test_a_count_by_line_closes_what_is_left() -> None:
    found = explained(survivors(), **MALLOC)
    assert growth().unexplained(found.culprits) == 1.0
    record = counted(MAIN, ("/srv/app/native.py", 9, 0, 0, 10_000))
    (culprit,) = add_lines(growth(**MALLOC), found, record).culprits
    assert (culprit.type, culprit.site) == ("native memory (malloc)", "/srv/app/native.py:9")
    assert culprit.stack == ("/srv/app/native.py:9", "/srv/app/main.py:2")


def test_a_line_whose_gain_another_gives_back_is_not_blamed() -> None:
    record = counted(
        MAIN,
        ("/srv/app/native.py", 9, 0, 10_000, 0),
        ("/srv/app/native.py", 20, 0, -10_000, 0),
        ("/srv/app/main.py", 3, -1, 0, 0),
        ("/srv/app/native.py", 30, 3, 10_000, 0),
    )
    (culprit,) = add_lines(growth(), explained(survivors()), record).culprits
    assert culprit.site == "/srv/app/native.py:30"


def test_a_line_of_malloc_is_found_among_python_objects_that_come_and_go_between_tasks() -> None:
    record = counted(
        MAIN,
        ("/srv/app/callbacks.py", 4, 0, 90_000, 11_000),
        ("/srv/app/main.py", 3, -1, -90_000, -15_000),
        ("/srv/app/native.py", 9, 2, 0, 10_560),
    )
    found = add_lines(growth(**MALLOC), explained(survivors(), **MALLOC), record)
    assert causes(found) == ()  # two lines gain as much
    record = counted(
        MAIN,
        ("/srv/app/callbacks.py", 4, 0, 90_000, 4_000),
        ("/srv/app/main.py", 3, -1, -90_000, -4_000),
        ("/srv/app/native.py", 9, 2, 0, 10_560),
    )
    found = add_lines(growth(**MALLOC), explained(survivors(), **MALLOC), record)
    assert [culprit.site for culprit in found.culprits] == ["/srv/app/native.py:9"]


def test_what_cannot_be_found_out_is_a_note_and_a_row_that_claims_nothing() -> None:
    record = PassRecord(kind="allocations", mode="settled", surveys=Surveys())
    found = add_lines(growth(**MALLOC), explained(survivors(), **MALLOC), record)
    (row,) = found.culprits
    assert (row.type, row.root, row.path, row.site) == (NOT_EXPLAINED, "", (), "")
    assert (row.native_per_call, row.share, row.fingerprint) == (1000.0, 1.0, "")
    assert "1000 B a call could not be traced" in found.notes[-1]


def sums(explanation: Explanation) -> tuple[float, float]:
    """All bytes of the culprits, and malloc's."""
    found = explanation.culprits
    return (
        round(sum(one.bytes_per_call for one in found), 6),
        round(sum(one.native_per_call for one in found), 6),
    )


@pytest.mark.parametrize("size", [300.0, 800.0, 1000.0, 5000.0])
@pytest.mark.parametrize("native_share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("of_malloc", [0, 10_000, 40_000])
def test_bytes_of_all_culprits_and_the_rest_are_those_of_the_verdict(
    size: float, native_share: float, of_malloc: int
) -> None:
    native = size * native_share
    record = survivors(group(malloc=of_malloc), group(type="app.Other", bytes=9_000))
    found = explained(record, size, native_per_call=native)
    assert sums(found) == (size, round(native, 6))


def test_what_is_left_is_the_last_row_with_its_share() -> None:
    found = explained(survivors(group(bytes=10_000))).culprits
    assert [(one.type, one.share) for one in found] == [
        ("app.Session", 0.2),
        (NOT_EXPLAINED, 0.8),
    ]


def test_what_malloc_has_of_a_survivor_is_told_though_nobody_let_it_go() -> None:
    record = survivors(group(malloc=30_000))
    (culprit,) = causes(explained(record, 800.0, native_per_call=600.0))
    assert culprit.native_per_call == 600.0


def died() -> PassRecord:
    failure = Failure(stage="call", kind="killed", message="the process was ended by SIGSEGV")
    return PassRecord(kind="survivors", mode="settled", failure=failure)


def test_no_holder_is_claimed_where_the_pass_that_looks_for_it_died() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 29_000))
    found = join(growth(**MALLOC), died(), (short, long))
    (culprit,) = found.culprits
    assert culprit.root == NOT_KNOWN
    assert "ended early (the process was ended by SIGSEGV in a call)" in culprit.path[0]
    assert "next: " in culprit.path[0]
    assert culprit.advice == ""


def test_no_holder_is_claimed_of_a_line_that_is_counted_after_such_a_death() -> None:
    record = counted(MAIN, ("/srv/app/native.py", 9, 0, 0, 10_000))
    found = add_lines(growth(**MALLOC), join(growth(**MALLOC), died()), record)
    assert [one.root for one in found.culprits] == [NOT_KNOWN]


def lost(**changes: object) -> UntrackedObjects:
    """Return texts that every call loses, as a worker tells them."""
    told = {"type": "str", "objects": 50, "bytes": 9600, "malloc": 0, "holder": "lost"}
    found = {"references": 1, "sample": "'paid by'…", "stack": [["/srv/app/cards.py", 7]]}
    return msgspec.convert({**told, **found, **changes}, UntrackedObjects)


def of_lost(*found: UntrackedObjects) -> Explanation:
    record = survivors()
    surveys = msgspec.structs.replace(
        record.surveys, release=ReleaseSurvey(pass_calls=400, lost=found)
    )
    return join(growth(), msgspec.structs.replace(record, surveys=surveys))


def test_a_reference_that_nobody_has_is_told_as_lost_with_sample_and_line() -> None:
    culprit = of_lost(lost()).culprits[0]
    assert (culprit.type, culprit.root, culprit.lost_references) == ("str", OUTSIDE, 1.0)
    assert (culprit.site, culprit.sample) == ("/srv/app/cards.py:7", "'paid by'…")
    assert lost_text(culprit) == "str, 1 more reference a call than anyone holds"


@pytest.mark.parametrize(
    ("holder", "where", "root", "words"),
    [
        ("malloc", "", OUTSIDE, "memory of malloc"),
        ("library", "libfoo.so", OUTSIDE, "a variable of libfoo.so"),
        ("interned", "", OUTSIDE, "interned names"),
        ("object", "spam.Egg", NOT_KNOWN, "an object of type spam.Egg"),
        ("unknown", "", NOT_KNOWN, "more memory than there was time"),
    ],
)
def test_what_somebody_may_hold_is_never_said_to_be_lost(
    holder: str, where: str, root: str, words: str
) -> None:
    culprit = of_lost(lost(holder=holder, where=where)).culprits[0]
    assert (culprit.root, culprit.lost_references, lost_text(culprit)) == (root, 0.0, "")
    assert words in culprit.path[0]


def test_what_a_lost_object_has_the_address_of_counts_with_it() -> None:
    part = lost(type="numpy.ndarray", bytes=1000, holder="object", where="str")
    found = of_lost(lost(), part).culprits
    assert [one.type for one in found if one.type != NOT_EXPLAINED] == ["str"]
    assert [count.type for count in found[0].holds] == ["numpy.ndarray"]


def test_blocks_of_python_in_which_no_object_was_found_have_no_known_holder() -> None:
    record = counted(MAIN, ("/srv/app/native.py", 9, 0, 10_000, 0))
    (culprit,) = add_lines(growth(), explained(survivors()), record).culprits
    assert (culprit.root, culprit.type) == (NOT_KNOWN, "memory that the tracer counts as Python's")

"""Joining: from what the passes found to one ranked list."""

from typing import Any

import msgspec

from memcurve.explain.culprits import add_lines, join
from memcurve.explain.figures import Growth
from memcurve.model.findings import OUTSIDE, Explanation
from memcurve.model.recording import PassKind, PassRecord
from memcurve.model.surveys import Surveys

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


def test_a_group_is_a_culprit_with_count_bytes_share_and_line() -> None:
    (culprit,) = explained(survivors(group())).culprits
    assert (culprit.type, culprit.per_call, culprit.bytes_per_call) == ("app.Session", 1.0, 800.0)
    assert (culprit.share, culprit.site) == (0.8, "/srv/app/jobs.py:12")


def test_what_letting_go_freed_counts_more_than_the_sizes() -> None:
    freed = {"group": 0, "python": 5_000, "malloc": 95_000, "heads": 100, "steps": []}
    record = survivors(group(), released=(freed,))
    (culprit,) = explained(record).culprits
    assert (culprit.bytes_per_call, culprit.native_per_call) == (1000.0, 950.0)


def test_native_weight_is_named_after_the_client_that_owns_it() -> None:
    steps = [
        [".client", "httpx.AsyncClient", "httpx.AsyncClient", 900],
        ["._ssl_context", "ssl.SSLContext", "ssl.SSLContext", 900],
    ]
    freed = {"group": 0, "python": 0, "malloc": 90_000, "heads": 100, "steps": steps}
    (culprit,) = explained(survivors(group(), released=(freed,))).culprits
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
    (culprit,) = explained(survivors(group(), released=(freed,))).culprits
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
    assert join(growth(**MALLOC), survivors(), (short, long)).culprits == ()


def test_a_line_is_not_blamed_for_what_grows_in_the_other_heap() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 29_000))
    assert join(growth(), survivors(), (short, long)).culprits == ()


def test_a_stack_that_only_holds_something_is_no_site() -> None:
    short, long = traced(10, (8, 5_000)), traced(30, (8, 5_000))
    assert join(growth(), survivors(), (short, long)).sites == ()


def test_growth_that_is_not_proved_is_charged_to_nobody() -> None:
    short, long = traced(10, (7, 9_000)), traced(30, (7, 29_000))
    assert join(growth(proved=False), survivors(), (short, long)).culprits == ()


def test_the_heaviest_culprit_comes_first() -> None:
    light = group(type="app.Light", bytes=5_000)
    found = explained(survivors(light, group())).culprits
    assert [culprit.type for culprit in found] == ["app.Session", "app.Light"]


def test_descriptors_that_no_object_holds_come_first() -> None:
    record = survivors(group(), descriptors=[["pipe", 100]], files=False)
    first, second = explained(record, fds_per_call=1.0).culprits
    assert (first.type, second.type) == ("open descriptor (pipe)", "app.Session")


def test_descriptors_of_sockets_that_survive_come_behind_who_keeps_them() -> None:
    record = survivors(group(), descriptors=[["socket", 100]], files=True)
    first, second = explained(record, fds_per_call=1.0).culprits
    assert (first.type, second.type) == ("app.Session", "open descriptor (socket)")


def test_what_frees_less_than_its_sizes_counts_with_these() -> None:
    freed = {"group": 0, "python": 1_000, "malloc": 0, "heads": 100, "steps": []}
    (culprit,) = explained(survivors(group(), released=(freed,))).culprits
    assert culprit.bytes_per_call == 800.0


def test_what_nothing_leads_to_once_its_holder_let_go_is_held_outside_python() -> None:
    lost = {"group": 0, "python": 0, "malloc": 0, "heads": 0, "steps": [], "root": OUTSIDE}
    (culprit,) = explained(survivors(group(), released=(lost,))).culprits
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
    assert [culprit.site for culprit in found.culprits] == [""]  # two lines gain as much
    record = counted(
        MAIN,
        ("/srv/app/callbacks.py", 4, 0, 90_000, 4_000),
        ("/srv/app/main.py", 3, -1, -90_000, -4_000),
        ("/srv/app/native.py", 9, 2, 0, 10_560),
    )
    found = add_lines(growth(**MALLOC), explained(survivors(), **MALLOC), record)
    assert [culprit.site for culprit in found.culprits] == ["/srv/app/native.py:9"]


def test_what_cannot_be_found_out_is_a_note_and_a_culprit_without_a_line() -> None:
    record = PassRecord(kind="allocations", mode="settled", surveys=Surveys())
    found = add_lines(growth(**MALLOC), explained(survivors(), **MALLOC), record)
    (culprit,) = found.culprits
    assert (culprit.type, culprit.site) == ("native memory (malloc)", "")
    assert (culprit.share, culprit.fingerprint) == (1.0, "")
    assert "1000 B a call could not be traced" in found.notes[-1]

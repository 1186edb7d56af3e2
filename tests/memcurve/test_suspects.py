"""Which survivors of a suite are suspects, and how that reads."""

import msgspec

from memcurve.judge.suspects import LEAST_BYTES, LEAST_MALLOC, suspects
from memcurve.model.suite import Residue, SuiteSurvey, Survivors
from memcurve.report.suspects_text import suspects_text

LEAK = Survivors(
    kind="jobs.Job",
    holder="module global: jobs.SEEN: list → [*]: jobs.Job",
    objects=3,
    total_bytes=900,
    tests=("test_a.py::test_one", "test_a.py::test_two", "test_a.py::test_three"),
    fingerprint="0123456789ab",
)


def test_what_three_tests_leave_is_a_suspect_and_what_one_leaves_only_if_it_weighs() -> None:
    once = msgspec.structs.replace(LEAK, holder="h", tests=("t",), total_bytes=LEAST_BYTES - 1)
    heavy = msgspec.structs.replace(once, holder="g", total_bytes=LEAST_BYTES)
    found = suspects(SuiteSurvey(survivors=(once, heavy, LEAK)))
    assert found.survivors == (heavy, LEAK)
    assert found.smaller == 1


def test_what_caches_tools_and_imports_keep_is_told_apart() -> None:
    cached = msgspec.structs.replace(LEAK, kept_by="cache")
    found = suspects(SuiteSurvey(survivors=(cached,)))
    assert (found.survivors, found.apart) == ((), (cached,))


def test_an_acknowledged_leak_is_no_suspect() -> None:
    found = suspects(SuiteSurvey(survivors=(LEAK,)), frozenset([LEAK.fingerprint]))
    assert (found.survivors, found.known) == ((), (LEAK,))


def test_a_descriptor_is_a_suspect_and_bytes_of_malloc_only_where_nothing_explains_them() -> None:
    open_file = Residue(test="t::file", fds=1)
    native = Residue(test="t::native", malloc_bytes=LEAST_MALLOC)
    explained = Residue(test=LEAK.tests[0], malloc_bytes=LEAST_MALLOC)
    importing = Residue(test="t::import", malloc_bytes=LEAST_MALLOC, imported=True)
    survey = SuiteSurvey(residues=(open_file, native, explained, importing), survivors=(LEAK,))
    assert suspects(survey).residues == (native, open_file)


def test_surveys_of_two_processes_join_what_is_held_alike() -> None:
    survey = SuiteSurvey(survivors=(LEAK,), tests=3)
    (group,) = suspects(survey.joined(survey)).survivors
    assert (group.objects, group.total_bytes, group.tests) == (6, 1800, LEAK.tests)


def test_the_tests_to_measure_are_named_once_the_heaviest_first() -> None:
    heavy = msgspec.structs.replace(LEAK, holder="g", total_bytes=5000, tests=("t::heavy",))
    file = Residue(test="t::heavy", fds=1)
    found = suspects(SuiteSurvey(survivors=(LEAK, heavy), residues=(file,)))
    assert found.tests == ("t::heavy", "test_a.py::test_one")


def test_a_suspect_reads_with_bytes_type_holder_and_its_first_test() -> None:
    survey = SuiteSurvey(survivors=(LEAK,), tests=3, elapsed_s=10.0, survey_s=0.3)
    lines = list(suspects_text(survey, suspects(survey)))
    assert lines == [
        "looked at 3 tests: 300 ms of 10.0 s (3.0%)",
        "     900 B  3 objects below jobs.Job, born in test_a.py::test_one and 2 more",
        "            held by  module global: jobs.SEEN: list → [*]: jobs.Job",
        "            mark     0123456789ab",
    ]


def test_what_no_list_was_asked_for_is_said_and_only_then() -> None:
    one, other = SuiteSurvey(tests=3, not_asked=1), SuiteSurvey(tests=4, not_asked=1)
    joined = one.joined(other)
    (note,) = [line for line in suspects_text(joined, suspects(joined)) if "note" in line]
    assert "2 tests left blocks of Python's heap" in note
    calm = SuiteSurvey(tests=3)
    assert not any("note" in line for line in suspects_text(calm, suspects(calm)))

"""The suspects of a suite as lines for the end of pytest's output."""

from collections.abc import Iterator

from memcurve.judge.suspects import Suspects
from memcurve.model.suite import Residue, SuiteSurvey, Survivors
from memcurve.model.units import format_bytes, format_duration

MOST_SHOWN = 20
_WORDS = {"tools": "pytest and its plugins", "cache": "caches", "import": "imports"}


def suspects_text(survey: SuiteSurvey, found: Suspects) -> Iterator[str]:
    """Yield what the survey looked at, the suspects, and what was told apart from them."""
    yield _looked_at(survey)
    for group in found.survivors[:MOST_SHOWN]:
        yield from _of_group(group)
    yield from _of_residues(found.residues)
    left_out = len(found.survivors) - MOST_SHOWN
    if left_out > 0:
        yield f"  and {left_out} more"
    if found.known:
        yield f"  known    {_groups(len(found.known))} acknowledged in known-leaks.toml"
    yield from _apart(found)
    if survey.not_asked:
        tests = _plural(survey.not_asked, "test")
        yield (
            f"  note     {survey.not_asked} {tests} left blocks of Python's heap that no list or "
            f"dictionary was asked for: that takes longer than a survey may "
            f"(--memcurve-survey-seconds)"
        )


def _looked_at(survey: SuiteSurvey) -> str:
    passed_by = f", {survey.not_looked_at} failed or skipped" if survey.not_looked_at else ""
    share = survey.survey_s / survey.elapsed_s if survey.elapsed_s else 0.0
    return (
        f"looked at {survey.tests} tests{passed_by}: {format_duration(survey.survey_s)} of "
        f"{format_duration(survey.elapsed_s)} ({share:.1%})"
    )


def _of_group(group: Survivors) -> Iterator[str]:
    noun = "object" if group.objects == 1 else "objects"
    yield (
        f"{format_bytes(group.total_bytes):>10}  {group.objects} {noun} below {group.kind}"
        f"{_of_tests(group.tests)}"
    )
    yield f"            held by  {group.holder or 'not looked for'}"
    if group.added_at:
        yield f"            added at {', '.join(group.added_at)}"
    if group.place:
        yield f"            defined  {group.place}"
    if group.fingerprint:
        yield f"            mark     {group.fingerprint}"


def _of_tests(tests: tuple[str, ...]) -> str:
    more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    return f", born in {tests[0]}{more}" if tests else ""


def _of_residues(residues: tuple[Residue, ...]) -> Iterator[str]:
    """Yield one line for each kind of thing that tests left, with the first test and how many."""
    for counter, noun in (("fds", "descriptor"), ("threads", "thread"), ("processes", "process")):
        left = [one for one in residues if getattr(one, counter) > 0]
        if left:
            count = sum(getattr(one, counter) for one in left)
            yield f"{count:>10}  {_plural(count, noun)} left open by {_tests(left)}"
    native = [one for one in residues if not (one.fds > 0 or one.threads > 0 or one.processes > 0)]
    for one in native[:MOST_SHOWN]:
        size = format_bytes(one.malloc_bytes)
        yield f"{size:>10}  of malloc's that no object accounts for, left by {one.test}"


def _tests(residues: list[Residue]) -> str:
    more = f" and {len(residues) - 1} more" if len(residues) > 1 else ""
    return f"{residues[0].test}{more}"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}{'es' if noun[-1] == 's' else 's'}"


def _groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"


def _apart(found: Suspects) -> Iterator[str]:
    for name, words in _WORDS.items():
        groups = [group for group in found.apart if group.kept_by == name]
        if groups:
            size = format_bytes(sum(group.total_bytes for group in groups))
            yield f"  apart    {size} kept by {words}"
    if found.smaller:
        yield f"  apart    {_groups(found.smaller)} of less than 1 KiB, each left by one test"

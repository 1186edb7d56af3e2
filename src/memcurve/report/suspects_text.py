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
    for residue in found.residues[:MOST_SHOWN]:
        yield from _of_residue(residue)
    shown = min(len(found.survivors), MOST_SHOWN) + min(len(found.residues), MOST_SHOWN)
    left_out = len(found.survivors) + len(found.residues) - shown
    if left_out:
        yield f"  and {left_out} more"
    if found.known:
        yield f"  known    {_groups(len(found.known))} acknowledged in known-leaks.toml"
    yield from _apart(found)


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
    if group.place:
        yield f"            defined  {group.place}"
    if group.fingerprint:
        yield f"            mark     {group.fingerprint}"


def _of_tests(tests: tuple[str, ...]) -> str:
    more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    return f", born in {tests[0]}{more}" if tests else ""


def _of_residue(residue: Residue) -> Iterator[str]:
    counts = {
        "descriptor": residue.fds,
        "thread": residue.threads,
        "process": residue.processes,
    }
    parts = [_plural(count, noun) for noun, count in counts.items() if count > 0]
    size = format_bytes(residue.malloc_bytes) if residue.malloc_bytes > 0 else "0 B"
    what = ", ".join(parts) or "malloc's, and no object of Python accounts for it"
    yield (
        f"{size:>10}  {what}: left open by {residue.test}"
        if parts
        else (f"{size:>10}  {what}: left by {residue.test}")
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun[-1] == 's' else 's'}"


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

"""Say which survivors of a suite are suspects, the heaviest first.

A survivor is a suspect where the program, or nobody known, keeps it, and it

    was born in at least REPEATED tests,  or weighs at least LEAST_BYTES.

One look cannot tell a leak from a cache that fills, so a suspect is no verdict: measuring the test
again and again is. A counter that moved where no survivor accounts for it is a suspect too:

    descriptors, threads, processes > 0   or   malloc's bytes - survivors' bytes >= LEAST_MALLOC.
"""

import msgspec

from memcurve.model.suite import Residue, SuiteSurvey, Survivors

REPEATED = 3
"""Tests: what one or two leave may be made once, as a lookup table is; what three leave returns."""
LEAST_BYTES = 1024
"""Bytes of a group that counts even if one test alone leaves it. Chosen: what is made once and is
smaller (a lazily made `__dict__`, an entry of a registry) is in every suite."""
LEAST_MALLOC = 64 * 1024
"""Bytes of malloc's in one test that no survivor accounts for: below it, tables of the interpreter
that grow by doubling look like it."""


class Suspects(msgspec.Struct, frozen=True, kw_only=True):
    """What deserves a measurement, and what was told apart from it.

    `smaller` are groups of the program's that one test left and that weigh little.
    """

    survivors: tuple[Survivors, ...]
    residues: tuple[Residue, ...]
    apart: tuple[Survivors, ...]
    known: tuple[Survivors, ...]
    smaller: int

    @property
    def tests(self) -> tuple[str, ...]:
        """The test of each suspect that shows it best, each once, the heaviest first."""
        first = [group.tests[0] for group in self.survivors if group.tests]
        return tuple(dict.fromkeys([*first, *(residue.test for residue in self.residues)]))


def suspects(survey: SuiteSurvey, known: frozenset[str] = frozenset()) -> Suspects:
    """Rank what a survey found; `known` are fingerprints of acknowledged leaks."""
    groups = merged(survey.survivors)
    ours = [group for group in groups if group.kept_by == "program"]
    counted = [group for group in ours if is_worth(len(group.tests), group.total_bytes)]
    return Suspects(
        survivors=tuple(group for group in counted if group.fingerprint not in known),
        residues=_unaccounted(survey.residues, groups),
        apart=tuple(group for group in groups if group.kept_by != "program"),
        known=tuple(group for group in counted if group.fingerprint in known),
        smaller=len(ours) - len(counted),
    )


def merged(groups: tuple[Survivors, ...]) -> list[Survivors]:
    """Return groups of the same type and holder as one, the heaviest first.

    Those whose holder was not looked for stay apart: nothing says that it is the same.
    """
    found: dict[tuple[object, ...], Survivors] = {}
    for number, group in enumerate(groups):
        key = (group.kind, group.holder, group.kept_by) if group.holder else (number,)
        before = found.get(key)
        found[key] = group if before is None else _both(before, group)
    return sorted(found.values(), key=lambda group: (-group.total_bytes, group.holder, group.kind))


def _both(one: Survivors, other: Survivors) -> Survivors:
    return msgspec.structs.replace(
        one,
        objects=one.objects + other.objects,
        total_bytes=one.total_bytes + other.total_bytes,
        tests=tuple(dict.fromkeys(one.tests + other.tests)),
    )


def is_worth(tests: int, size: int) -> bool:
    """Say whether survivors of so many tests and bytes deserve a look for their holder."""
    return tests >= REPEATED or size >= LEAST_BYTES


def _unaccounted(residues: tuple[Residue, ...], groups: list[Survivors]) -> tuple[Residue, ...]:
    explained: dict[str, int] = {}
    for group in groups:
        for test in group.tests:
            explained[test] = explained.get(test, 0) + group.total_bytes
    found = [one for one in residues if _stands_out(one, explained.get(one.test, 0))]
    return tuple(sorted(found, key=lambda one: (-one.malloc_bytes, one.test)))


def _stands_out(residue: Residue, explained: int) -> bool:
    if residue.fds > 0 or residue.threads > 0 or residue.processes > 0:
        return True
    return not residue.imported and residue.malloc_bytes - explained >= LEAST_MALLOC

"""What one look at every test of a suite found: what was born in a test and outlived it."""

from typing import Literal

import msgspec

KeptBy = Literal["program", "tools", "cache", "import"]
"""Who keeps survivors: the program or nobody known; pytest, its plugins and what they load; a cache
that is bounded or the standard library's own; the modules that a test was the first to import."""


class Residue(msgspec.Struct, frozen=True, kw_only=True):
    """What counters of the process moved by over one test and its own fixtures.

    Bytes are malloc's, live; the others are counts. What pytest itself did in between, such as
    making reports, is not in them.
    """

    test: str
    malloc_bytes: int = 0
    fds: int = 0
    threads: int = 0
    processes: int = 0
    imported: bool = False


class Survivors(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one type below one holder that were born in tests and are alive at the end.

    `total_bytes` are their own sizes, and of what the collector does not track and nobody else
    holds below them. `place` is where their class or function is defined, "" where that is not
    known; `holder` is "" where it was not looked for. `added_at` are lines of the program's source
    that add to the holder, at most three. `tests` are those that they were born in, those with the
    most bytes first.
    """

    kind: str
    holder: str
    place: str = ""
    added_at: tuple[str, ...] = ()
    objects: int
    total_bytes: int
    tests: tuple[str, ...]
    kept_by: KeptBy = "program"
    fingerprint: str = ""


class SuiteSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one look at each test found.

    `not_asked` tests left blocks of Python's heap that no container was asked for: that would have
    taken longer than is allowed. `elapsed_s` is of the clock, `survey_s` CPU time.
    """

    residues: tuple[Residue, ...] = ()
    survivors: tuple[Survivors, ...] = ()
    tests: int = 0
    not_looked_at: int = 0
    not_asked: int = 0
    elapsed_s: float = 0.0
    survey_s: float = 0.0

    def joined(self, other: "SuiteSurvey") -> "SuiteSurvey":
        """Return both surveys as one: of two processes that each ran a part of the suite."""
        return SuiteSurvey(
            residues=self.residues + other.residues,
            survivors=self.survivors + other.survivors,
            tests=self.tests + other.tests,
            not_looked_at=self.not_looked_at + other.not_looked_at,
            not_asked=self.not_asked + other.not_asked,
            elapsed_s=self.elapsed_s + other.elapsed_s,
            survey_s=self.survey_s + other.survey_s,
        )

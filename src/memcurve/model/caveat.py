"""What a reader must know besides the verdict, from a closed list; rendered later, as data here."""

from typing import Literal

import msgspec

CaveatKind = Literal[
    "not_exact",
    "malloc_unseen",
    "malloc_wraps",
    "python_unseen",
    "mapped_unread",
    "children_unread",
    "resources_unread",
    "in_flight",
    "repeated_unfrozen",
    "repeated_patient",
    "measured_again",
    "budget_ended",
    "few_calls",
    "filling_bound",
    "failed_calls",
    "forked_caller",
    "in_process",
    "natural_curve",
    "thread_caches",
    "threads_at_import",
    "other_versions",
    "no_baseline",
    "other_environment",
    "other_machine",
]


class Caveat(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that limits what a verdict says, with its figures in a sentence."""

    kind: CaveatKind
    text: str

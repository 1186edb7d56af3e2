"""What the designs of a scenario leave to the collector: as it stood, and as it is forecast."""

from collections.abc import Sequence

import msgspec

from memcurve.model.debt import Debt
from memcurve.model.outcome import Outcome
from memcurve.model.units import format_bytes
from memcurve.report.debt import TOLD_FROM

UNKNOWN = "-"


class GarbageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One design: bytes that a call leaves, that stood at once, and that each collector would let.

    `forecasts` stand as the collectors of the table do; what is not known is "-".
    """

    design: str
    left: str
    stood: str
    forecasts: tuple[str, ...]


class GarbageTable(msgspec.Struct, frozen=True, kw_only=True):
    """All designs of one scenario; `collectors` are the versions of CPython that have them."""

    collectors: tuple[str, ...]
    rows: tuple[GarbageRow, ...]


def garbage_table(outcomes: Sequence[Outcome]) -> GarbageTable | None:
    """Return the table; None where no collector would let a mebibyte of any design stand."""
    debts = [
        (one.recording.design, one.judgement.debt)
        for one in outcomes
        if one.judgement is not None and one.judgement.debt is not None
    ]
    if max((_most(debt) for _, debt in debts), default=0.0) < TOLD_FROM:
        return None
    found = {forecast.versions: None for _, debt in debts for forecast in debt.forecasts}
    collectors = tuple(found)
    return GarbageTable(
        collectors=collectors, rows=tuple(_row(name, debt, collectors) for name, debt in debts)
    )


def _row(design: str, debt: Debt, collectors: tuple[str, ...]) -> GarbageRow:
    forecast = {one.versions: format_bytes(one.bytes) for one in debt.forecasts}
    return GarbageRow(
        design=design,
        left=format_bytes(debt.bytes_per_call),
        stood=format_bytes(debt.stood.bytes) if debt.stood is not None else UNKNOWN,
        forecasts=tuple(forecast.get(versions, UNKNOWN) for versions in collectors),
    )


def _most(debt: Debt) -> float:
    return max(debt.bytes, *(one.bytes for one in debt.forecasts), 0.0)

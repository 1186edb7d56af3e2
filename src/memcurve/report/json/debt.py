"""What garbage stands at once, as JSON."""

from memcurve.model.debt import Debt, DebtName, Forecast, Heavy, Relief, Stood, debt_name
from memcurve.report.json.shape import Shape


class DebtShape(Shape, frozen=True, kw_only=True):
    """What stands at once because the collector has not come yet, in bytes; null: not known.

    `forecast` is for the interpreter that was measured, `forecasts` for all whose collector is
    known; `reliefs` are what each act leaves standing, as measured.
    """

    verdict: DebtName
    bytes: float
    limit: float
    descriptors_per_call: float
    stood: Stood | None
    forecast: Forecast | None
    forecasts: tuple[Forecast, ...]
    reliefs: tuple[Relief, ...]


def debt_shape(debt: Debt | None) -> DebtShape | None:
    """Return the object, None where no pass ran as production does."""
    if debt is None or (debt.stood is None and debt.here is None):
        return None
    return DebtShape(
        verdict=debt_name(debt),
        bytes=debt.bytes,
        limit=debt.limit,
        descriptors_per_call=debt.descriptors_per_call,
        stood=debt.stood,
        forecast=debt.here,
        forecasts=debt.forecasts,
        reliefs=debt.reliefs if isinstance(debt, Heavy) else (),
    )

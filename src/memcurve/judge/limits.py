"""What is allowed of one kind of counter, in its own unit a call."""

import msgspec

from memcurve.model.thresholds import Thresholds


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits for bytes, or for descriptors, threads, tasks and processes.

    `step` is the smallest change of the counter, `few_floor` the highest floor that few calls may
    prove, `warm_up` a rise that is told as none, `recount`
    what two counts of one state may differ by. What surely rises by more than `still_rises` has not
    stopped, however much is tolerated. What `may_double` may stand still between two doublings.
    """

    tolerance: float
    floor: float
    step: float
    warm_up: float
    recount: float
    few_floor: float
    still_rises: float
    may_double: bool
    thresholds: Thresholds

    @staticmethod
    def of_bytes(thresholds: Thresholds) -> "Limits":
        """Return the limits of counters in bytes."""
        return Limits(
            tolerance=thresholds.tolerance,
            floor=thresholds.floor_limit,
            step=thresholds.rise.step_bytes,
            warm_up=thresholds.stand.warm_up_bytes,
            recount=thresholds.estimate.recount_bytes,
            few_floor=max(thresholds.few.floor_bytes, thresholds.floor_limit),
            still_rises=thresholds.stand.rises_bytes,
            may_double=True,
            thresholds=thresholds,
        )

    @staticmethod
    def of_mapped(thresholds: Thresholds) -> "Limits":
        """Return the limits of what is mapped past the heaps: exact, a page is its unit."""
        limits, page = Limits.of_bytes(thresholds), thresholds.rise.page_bytes
        return msgspec.structs.replace(limits, step=page, recount=0, few_floor=page)

    @staticmethod
    def of_children(thresholds: Thresholds) -> "Limits":
        """Return the limits of what child processes hold, in the pages that they touch."""
        tolerance = max(thresholds.children_tolerance, thresholds.tolerance)
        return msgspec.structs.replace(
            Limits.of_bytes(thresholds),
            tolerance=tolerance,
            floor=max(tolerance, thresholds.floor_limit),
            step=thresholds.rise.page_bytes,
            warm_up=thresholds.stand.warm_up_children,
            recount=thresholds.rise.page_bytes,
            few_floor=thresholds.rise.page_bytes,
        )

    @staticmethod
    def of_resource(name: str, thresholds: Thresholds, *, cpus: int = 0) -> "Limits":
        """Return the limits of a counter of resources; `cpus` of the machine, 0: not known."""
        return Limits(
            tolerance=thresholds.resource_tolerance,
            floor=thresholds.resource_tolerance,
            step=1,
            warm_up=_own_threads(cpus, thresholds) if name in ("threads", "processes") else 0,
            recount=0,  # a descriptor is one, however often it is counted
            few_floor=thresholds.few.floor_resources,
            still_rises=thresholds.stand.rises_resources,
            may_double=False,  # descriptors and threads come one by one
            thresholds=thresholds,
        )


def _own_threads(cpus: int, thresholds: Thresholds) -> int:
    """Return how many threads asyncio's own pool may start, as `concurrent.futures` sizes it."""
    return min(32, cpus + 4) if cpus else thresholds.stand.least_threads

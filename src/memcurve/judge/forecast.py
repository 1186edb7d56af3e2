"""Forecast how much garbage stands at once under each collector that CPython has had.

Generational (up to 3.13, and again from 3.14.5 on). A collection of the youngest generation starts
when allocations less frees, of objects that the collector knows, exceed T. Each twelfth looks at
the middle generation too, since its count must exceed 10; a full one needs eleven of those, and as
many survivors of them as a quarter of what the last full one left alive (the 25 % rule). With n the
net count of a call, k its peak and d the objects that it leaves:

    p = (T - k) / n                        calls between two starts; 1 / starts a call if k > T
    y = d p, or what a call leaves if k > T
    u = min(s, d p)                        objects that each carries on alive, garbage soon after
    v = min(s, 12 d p)                     the same of the middle generation
    f = max(11, heap / 4 / recent)         middle collections to a full one
    stand at once = y + 11 u + f v - s

k is the peak of the count within a call less n, and s how many objects that will be garbage are
alive when the collector comes.

Incremental (3.14.0 to 3.14.4). A collection starts by the same count, T = 2,000. The first of each
round marks what is reachable, and is credited twice for every object of it; until that credit is
used up nothing is collected. Each start uses up T plus a hundredth of the heap, 2 T at most:

    stand at once = y times the starts until 2 heap are used up, the heap growing meanwhile
                    + 100 u, which wait for the next round

Sources: Modules/gcmodule.c of 3.11 (gc_collect_generations), Python/gc.c of 3.13 (the same) and of
3.14.0 (assess_work_to_do, gc_collect_increment, mark_at_start); python/cpython#148726 for why
3.14.5 went back, python/cpython#141890 for the double credit.
"""

import math
import re

from memcurve.model.debt import Churn, Collector, Forecast
from memcurve.model.verdict import Rate

UP_TO_3_12 = Collector(versions="3.8 to 3.12", threshold=700)
SINCE_3_13 = Collector(versions="3.13, and 3.14.5 and later", threshold=2000)
INCREMENTAL = Collector(versions="3.14.0 to 3.14.4", threshold=2000, incremental=True)
COLLECTORS = (UP_TO_3_12, SINCE_3_13, INCREMENTAL)

LOOKS, MIDDLE_LOOKS = 12, 11
"""Collections of one generation to one of the next: counts must exceed 10, and the one in which
they do is one more; a full one is due at the next start, whichever generation's turn it is."""
LONG_LIVED = 4
"""A full collection needs survivors of a quarter of what is long-lived (python/cpython#48323)."""
SCAN_DIVISOR, MOST_OF_THE_HEAP = 100, 2
"""Of the incremental collector: a hundredth of the heap a start, twice the new objects at most."""
ROUND = 100
"""Starts that garbage which grew old waits for there: 67 to 130 as measured on 3.14.4."""
ENDLESS = 10_000
"""Starts after which no forecast looks further: 20 million objects."""
LEAST_OBJECTS = 0.005
"""Objects a call below which nothing is said to wait: one in 200 calls."""


def collector_of(version: str) -> Collector:
    """Return the collector of a CPython by its version; of an unknown one, that of today."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers < (3, 13):
        return UP_TO_3_12
    return INCREMENTAL if (3, 14) <= numbers < (3, 14, 5) else SINCE_3_13


def waits(rate: Rate) -> bool:
    """Say whether calls leave anything to the collector that is worth a word."""
    return rate.objects_per_call >= LEAST_OBJECTS


def forecasts(churn: Churn, within: float = math.inf) -> tuple[Forecast, ...]:
    """Return what stands at once under each collector of which that can be known.

    Nothing where nothing waits.
    """
    if churn.objects < LEAST_OBJECTS or churn.threshold == 0:
        return ()
    known = (collector for collector in COLLECTORS if is_known(churn, collector))
    return tuple(forecast(churn, collector, within) for collector in known)


def is_known(churn: Churn, collector: Collector) -> bool:
    """Say whether enough was seen of the calls to forecast one collector.

    The incremental one goes by the size of the heap, which only a look at the calls tells: without
    it a service that lets gigabytes stand would be promised a few megabytes.
    """
    return churn.heap > 0 or not collector.incremental


def forecast(churn: Churn, collector: Collector, within: float = math.inf) -> Forecast:
    """Return what stands at once at most under one collector, in steady state or `within` calls."""
    within = min(within, churn.collected)
    threshold = collector.threshold if churn.threshold is None else churn.threshold
    every = calls_between(churn, threshold)
    young = _young(churn, threshold, every)
    stand = _incremental if collector.incremental else _generational
    objects, after = stand(churn, threshold, every, young, within)
    most = churn.objects * within  # more than all calls left cannot stand
    share = min(most / max(sum(objects), LEAST_OBJECTS), 1.0)
    each = churn.bytes / churn.objects
    each_old = churn.alive_bytes / churn.alive if churn.alive else each
    return Forecast(
        versions=collector.versions,
        every=every,
        calls=sum(objects) * share / churn.objects,
        objects=sum(objects) * share,
        bytes=(objects[0] * each + objects[1] * each_old) * share,
        after=min(after, within),
    )


def _incremental(
    churn: Churn, threshold: int, every: float, young: float, within: float
) -> tuple[tuple[float, float], float]:
    """Return (young, old) garbage of the incremental collector, and the calls until it stands."""
    starts = _starts_of_a_round(churn, threshold)
    old = min(ROUND, within / every) * min(_alive(churn, every), churn.objects * every)
    return (young * starts, old), starts * every


def _generational(
    churn: Churn, threshold: int, every: float, young: float, within: float
) -> tuple[tuple[float, float], float]:
    """Return (young, old) garbage of the generations, and the calls until it stands."""
    alive = _alive(churn, every)
    carried_on = min(alive, LOOKS * churn.objects * every)
    rounds = min(_rounds(churn, carried_on), within / (LOOKS * every))
    old = min(LOOKS - 1, within / every) * min(alive, churn.objects * every)
    old += rounds * carried_on - churn.alive
    return (young, max(old, 0.0)), LOOKS * every * rounds if carried_on else every


def _alive(churn: Churn, every: float) -> float:
    """Return how many objects that will be garbage are alive when the collector comes."""
    return churn.objects * every if churn.revived else churn.alive


def calls_between(churn: Churn, threshold: int) -> float:
    """Return the calls between two starts of a collection; below 1 where calls start several."""
    started = churn.starts.get(threshold, 0.0)
    if started:
        return 1 / started
    return max((threshold - churn.peak) / max(churn.net, LEAST_OBJECTS), 1.0)


def _young(churn: Churn, threshold: int, every: float) -> float:
    """Return the young garbage that stands just before a start."""
    if threshold not in churn.starts:
        return churn.objects * every
    return max(churn.left.get(threshold, 0.0), min(churn.objects, threshold))


def _rounds(churn: Churn, carried_on: float) -> float:
    """Return the collections of the middle generation from one full collection to the next."""
    survivors = max(churn.recent + churn.peak, carried_on, 1.0)
    return max(MIDDLE_LOOKS, -(-churn.heap // LONG_LIVED) / survivors)


def _starts_of_a_round(churn: Churn, threshold: int) -> int:
    """Return the starts from one collection of what is young to the next."""
    credit, heap = 2.0 * churn.heap, float(churn.heap)
    for start in range(1, ENDLESS):
        credit -= threshold + min(heap / SCAN_DIVISOR, MOST_OF_THE_HEAP * threshold)
        heap += threshold
        if credit <= 0:
            return start
    return ENDLESS

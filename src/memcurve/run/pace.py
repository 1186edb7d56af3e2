"""Decide how far the settled pass of a design goes in a benchmark."""

import msgspec

from memcurve.compare.marks import marks
from memcurve.judge.schedule import (
    Budget,
    is_full,
    looks_growing,
    next_step,
    nothing_rises,
    rises_unproved,
    something_grows,
)
from memcurve.measure.runner import NextStep
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Scenario
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.run.options import RunOptions
from memcurve.run.passes import Options

MAY_GROW_CPU_S = 1.0  # its verdict gates nothing
LONGER_LOOK_S = 1.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How far a settled pass goes for its verdict.

    `enough` calls are run in any case, and more as long as they used less CPU time than `cpu_s`.
    What then surely rises, but is not proved to grow, is followed up to call `most`.
    `may_grow`: the calls that are shown are enough where something grows by then.
    """

    enough: int
    cpu_s: float = 0.0
    may_grow: bool = False
    most: int = 0
    once: bool = False
    """Only curves are wanted: no repeat in another mode, verified only where it looks growing."""


def pace_of(scenario: Scenario, design: str, options: RunOptions) -> Pace:
    """Return how far the settled pass of a design goes; dear calls are run fewer times.

    CPU time counts only where the scenario states no number of calls for a verdict.
    """
    dear = min(scenario.calls / 100, 1.0)
    enough = scenario.verdict_calls or round(options.thresholds.first_look * dear)
    cpu_s = options.cpu_s if scenario.verdict_calls is None else 0.0
    if design not in scenario.may_grow:
        most = round(options.thresholds.most_calls * dear)
        return Pace(enough=enough, cpu_s=cpu_s, most=most)
    if options.judge_all and design not in scenario.brief:
        return Pace(enough=enough, cpu_s=min(cpu_s, MAY_GROW_CPU_S), may_grow=True)
    return Pace(enough=options.calls or scenario.calls, once=True)


def paced(options: Options, pace: Pace) -> NextStep:
    """Return what decides the steps of a settled pass in a benchmark.

    Two runs must take the same decisions on a machine that is busy or not: what ends a pass is a
    number of calls, or CPU time of the calls where none was stated. It stops at every mark, so
    that all curves share those calls, and looks on where nothing rises yet: 1 KB every 100 calls
    shows two steps in 250 calls, and fifteen in 1,500.
    """
    thresholds, shown = options.thresholds, options.calls
    farthest = max(shown, pace.enough)

    def decide(record: PassRecord) -> Step:
        done = record.calls
        seen = pace.may_grow and done >= shown and something_grows(record, thresholds)
        enough = shown if seen else farthest
        budget = Budget(calls=shown, enough=enough, out_of_time=lambda: record.cpu_s >= pace.cpu_s)
        step = next_step(record, thresholds, budget)
        if done < enough and not is_full(record, thresholds):
            # the first look verifies; after it a second one at the end is enough
            beyond = [
                mark for mark in (*marks(shown), thresholds.first_look, enough) if mark > done
            ]
            return step if isinstance(step, Verify) else Calls(to=min(*beyond, enough))
        if pace.once and isinstance(step, Verify) and not looks_growing(record, thresholds):
            return Finish()
        if not isinstance(step, Finish):
            return step
        farther = 0
        if record.cpu_s < min(pace.cpu_s, LONGER_LOOK_S) and nothing_rises(record, thresholds):
            farther = thresholds.conviction
        elif rises_unproved(record, thresholds):
            farther = pace.most
        return Calls(to=min(done * 2, farther)) if done < farther else step

    return decide

"""How far the settled pass of a design goes in a benchmark."""

from memcurve.compare.marks import marks
from memcurve.model.effort import Effort
from memcurve.model.scenario import Scenario
from memcurve.run.options import LONGER_LOOK_S, MAY_GROW_CPU_S, RunOptions

STRETCH, BRIEF_STRETCH = 2, 4
"""So many times its calls a design that may grow is run where they show neither growth nor none.
Measured in bench/: twice is where what rises ever more slowly is told from a leak, four times where
a clean-up every tenth call has been seen three times."""


def effort_of(scenario: Scenario, design: str, options: RunOptions) -> Effort:
    """Return how far the settled pass of a design goes; expensive calls are run fewer times.

    Two runs must take the same decisions on a machine that is busy or not: what ends a pass is a
    number of calls, or CPU time of the calls where the scenario states none.
    """
    shown, thresholds = options.calls_of(scenario), options.each.thresholds
    expensive = min(scenario.calls / 100, 1.0)
    enough = scenario.verdict_calls or round(thresholds.first_look * expensive)
    cpu_s = options.cpu_s if scenario.verdict_calls is None else 0.0
    may_grow, judged = design in scenario.may_grow, True
    if may_grow:
        judged = options.judge_all and design not in scenario.brief
        cpu_s = min(cpu_s, MAY_GROW_CPU_S) if judged else 0.0
    throughout = max(shown, enough) if judged else shown
    followed = round(thresholds.most_calls * expensive)
    if may_grow:  # to where it may be called growing, unless each call is expensive
        followed = thresholds.least_calls if expensive == 1.0 else 0
    return Effort(
        shown=shown,
        throughout=throughout,
        least=throughout,
        most=max(thresholds.most_calls, shown),
        seconds=cpu_s,
        counted="cpu",
        marks=marks(shown),
        look_on_s=min(cpu_s, LONGER_LOOK_S),
        followed_to=followed,
        open_to=throughout * (STRETCH if judged else BRIEF_STRETCH) if may_grow else 0,
        until_grown=may_grow,
        judged=judged,
    )

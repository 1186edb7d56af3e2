"""A curve that stands still may stand between two doublings.

What doubles when it is full stands still ever longer, and its last step is half of all that it
gained. So a curve of which one step is `largest` of its whole rise or more is calm only when it has
stood for longer than a doubling would let it. With g the calls between the last two large steps,
and q times as many as between the two before,

    calm from call  c = last step + slack · q · g,    q at least `ratio`, at most `most_ratio`

Of a single step g is the calls up to it, and q is `ratio`: a table that began half empty. What the
curve gave back in its second half is a swing, and a rise that is no larger is one half of a swing.

What takes an eighth more when it is full (a bytearray, a list) stands for a ninth of its calls. So
stairs, `fewest` gaps or more that lengthen alike, are calm only after the next step is due, too.

Without it: `test_a_buffer_that_doubles_is_not_calm_between_its_steps`.
"""

from itertools import pairwise

from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve
from memcurve.model.thresholds import DoublingRule


def calm_from(curve: Curve, limits: Limits) -> int:
    """Return the call by which a doubling would have shown; 0 where no step looks like one."""
    rule, warm_up = limits.thresholds.doubling, limits.thresholds.stand.warm_up_calls
    kept = curve.kept()
    if not limits.may_double or not len(kept):
        return 0
    risen = kept.values[-1] - kept.at(min(warm_up, kept.last_call))
    steps = [step for step in kept.steps() if step[0] > warm_up and step[1] > 0]
    least, swing = max(rule.largest * risen, limits.step), _swing(curve, kept)
    large = [step for step in steps if step[1] >= least and step[1] > swing]
    if not large:
        return _after_stairs([step for step in steps if step[1] > swing], risen, limits)
    last, size = large[-1]
    alike = [call for call, rise in steps if call <= last and rise >= rule.alike * size]
    return last + round(_stand(alike, rule))


def _after_stairs(steps: list[tuple[int, int]], risen: float, limits: Limits) -> int:
    """Return when the next of regular steps is overdue; 0 where they are few or not regular."""
    rule = limits.thresholds.doubling
    steps = [step for step in steps if step[1] >= max(rule.stair * risen, limits.step)]
    gaps = [after[0] - before[0] for before, after in pairwise(steps)][-rule.fewest :]
    longer = [after / before for before, after in pairwise(gaps)]
    if len(gaps) < rule.fewest or not all(1 / rule.uneven <= one <= rule.uneven for one in longer):
        return 0
    return steps[-1][0] + round(rule.slack * max(longer[-1], 1.0) * gaps[-1])


def _swing(curve: Curve, kept: Curve) -> float:
    """Return the most that the curve held in its second half and gave back."""
    half = kept.last_call / 2
    rows = zip(curve.calls, curve.values, kept.values, strict=True)
    held = [now - at_last for call, now, at_last in rows if call >= half]
    return max(held, default=0.0)


def _stand(steps: list[int], rule: DoublingRule) -> float:
    """Return for how many calls what stepped at these calls may stand before it steps again."""
    gaps = [after - before for before, after in pairwise([0, *steps])]
    if len(gaps) == 1:
        return rule.ratio * gaps[0]
    ratio = min(max(gaps[-1] / gaps[-2], rule.ratio), rule.most_ratio)
    return rule.slack * ratio * gaps[-1]

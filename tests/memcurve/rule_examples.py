"""A curve for each rule of the judge: the pictures of docs/verdicts.md are drawn from them."""

from dataclasses import dataclass

from memcurve.judge.growth import Shape
from tests.memcurve.making import CurveMaker, curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A curve that shows one rule, and how it must be read: by which way, or for which reason."""

    maker: CurveMaker
    shape: Shape
    words: str
    caption: str


WAYS = {
    "stands_still": Example(
        maker=curve(calls=250).grows(per_call=900, calls=30).flat(171).jumps(64).flat(),
        shape="flat",
        words="stands_still",
        caption="a warm-up, and a block of 64 B at call 202",
    ),
    "drifts_by_little": Example(
        maker=curve(calls=450).flat().noise(seed=3, by=500),
        shape="flat",
        words="drifts_by_little",
        caption="random noise, and no drift in it",
    ),
    "returns_to_its_lows": Example(
        maker=curve(calls=450).flat().sawtooth(per_call=1000, every=60),
        shape="flat",
        words="returns_to_its_lows",
        caption="a sawtooth of 59 KB, back to the byte each time",
    ),
    "falls": Example(
        maker=curve(calls=250, start=500_000).grows(per_call=-1500),
        shape="flat",
        words="falls",
        caption="calls that use up what was prepared",
    ),
}

CONDITIONS = {
    "growing": Example(
        maker=curve(calls=1500).grows(per_call=96).noise(seed=1, by=2000),
        shape="growing",
        words="",
        caption="96 B a call under noise of 2 KB: every condition holds",
    ),
    "exceeds_the_tolerance": Example(
        maker=curve(calls=250).grows(per_call=4).noise(seed=6, by=3000),
        shape="undecided",
        words="the interval holds both flat and growing",
        caption="4 B a call under noise of 3 KB: nobody can tell in 250 calls",
    ),
    "rises_throughout": Example(
        maker=curve(calls=450).grows(per_call=300, calls=120).flat(139).grows(per_call=5),
        shape="undecided",
        words="it rises, but not in every part of the run",
        caption="what grew, paused for 139 calls, and grows again",
    ),
    "never_stands_for_long": Example(
        maker=curve(calls=2000).steps(by=20_000, every=240),
        shape="undecided",
        words="it rises, but stands still for long in between",
        caption="a step every 240 calls: each might be the last",
    ),
    "keeps_its_pace": Example(
        maker=curve(calls=1500).fills(to=2_000_000, within=600),
        shape="decaying",
        words="",
        caption="a cache that fills by chance, ever more slowly",
    ),
}
EXAMPLES = WAYS | CONDITIONS

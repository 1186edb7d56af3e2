"""Every number that a verdict rests on, with where it comes from, in one place.

`Thresholds` holds what a user may want to change, and the numbers of the rules in groups, one a
rule. A verdict carries all of them. Each says its source: *measured* (and by which command or
test), *literature*, or *convention* (and whose). `docs/verdicts.md` is made from this file by
`make rules`, and a test compares the two.
"""

import msgspec

from memcurve.model.units import MIB


class SlopeRule(msgspec.Struct, frozen=True, kw_only=True):
    """How the slope of a tail and its interval are taken."""

    blocks: int = 40
    """Blocks of equal numbers of calls that a tail is cut into. Convention: ours; 780 pairs of
    blocks cost a millisecond, and 20 blocks lose a tenth of the precision."""
    fewest_blocks: int = 6
    """Blocks below which there is no slope. Literature: below 6 points no rank of Kendall's
    statistic reaches 99 %."""
    fewest_independent: float = 3.0
    """What blocks are worth at least, however alike neighbours are. Convention: ours; with 3, the
    interval is the whole range of slopes, and wider it cannot be."""
    most_alike: float = 0.99
    """The autocorrelation of neighbours is taken as this at most. Convention: a guard against
    dividing by zero."""
    convicts_at: float = 2.58
    """Standard errors of the interval that is stated, and that growth must lie in. Convention: the
    99 % of a two-sided test."""
    acquits_at: float = 3.29
    """Standard errors of the interval that flatness is proved by: 99.9 %, since six tails are
    asked. Measured by `make calibrate`: at 2.58, 3 % of the floors under a random walk are too
    low."""


class FlatRule(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a tail flat: see `judge.flat`."""

    starts: tuple[float, ...] = (0.2, 1 / 3, 0.5, 2 / 3, 0.8, 0.9)
    """Where the tails begin that are asked, as shares of the calls: the longest comes first.
    Convention: ours; what warmed up for a tenth to nine tenths of a run leaves one of them."""
    still_share: float = 0.5
    """Share of the tolerance that all movement of a tail that stands still may have. Measured by
    `make calibrate`: at 1, 1 % of the floors under a random walk of 20 B are too low."""
    drift_share: float = 0.25
    """Share of its noise that a tail may have drifted by. Measured by `make accuracy`: a leak at
    every 100th call is all drift and no noise at 250 calls, and was acquitted without this."""
    noise_share: float = 0.001
    """Share of the noise that a floor may have, where that is more than `floor_limit`. Convention:
    ours; who keeps results of random size, 100 KiB apart, is not helped by "inconclusive"."""
    low_quantile: float = 0.1
    """Noise is the span from this quantile of the rows to its mirror image. Convention: deciles."""
    turn_share: float = 0.5
    """Share of the noise that a curve must fall and rise by to have turned: what comes and goes is
    then a sawtooth, and chance makes a low of every few calls. Convention: a zigzag of half the
    range."""
    fewest_lows: int = 3
    """Lows that a line is fitted to: two have no residual. Convention: arithmetic."""
    lows_at: float = 0.999
    """Probability of Student's interval of that line. Measured by `make calibrate`, as
    `slope.acquits_at`, whose probability it is."""
    level_calls: int = 400
    """Calls at the end that are asked too, where a tenth of the calls is more. Convention: ours;
    what filled for thousands of calls and then stood for 400 has stopped."""
    falls_from: float = 0.34
    """What falls must fall from this share of the calls on. Convention: ours; the two longest
    tails, so that no growth after the fall is passed over."""


class StandRule(msgspec.Struct, frozen=True, kw_only=True):
    """When a curve stopped rising, and what is called a warm-up: see `judge.plateau`."""

    warm_up_calls: int = 20
    """Calls whose rise is never told as a plateau. Measured by `make accuracy`: imports on demand
    and free lists of the suite are done by then."""
    warm_up_bytes: int = 16384
    """A rise that is not told as a plateau. Measured: two threads more in a pool take less, and so
    do a few pages of a cache (98a2543)."""
    warm_up_children: int = 131072
    """The same for child processes. Literature: what glibc takes from the system at a time
    (M_TOP_PAD), and keeps."""
    least_threads: int = 8
    """The same for threads, where the processors are not known. Literature: asyncio's pool starts
    one thread more when all are a moment late, up to min(32, processors + 4)."""
    rises_bytes: float = 1.0
    """What surely rises by more bytes a call has not stopped, though it is within a wide tolerance.
    Convention: the default of `tolerance`."""
    rises_resources: float = 0.005
    """The same for descriptors, threads and tasks. Convention: the default of
    `resource_tolerance`."""
    reached: float = 0.98
    """Share of its rise by which a curve has stopped. Convention: ours; the rest is noise."""


class DoublingRule(msgspec.Struct, frozen=True, kw_only=True):
    """For how long what doubles stands still: see `judge.doubling`."""

    largest: float = 0.4
    """Share of the whole rise that one step has where something doubles. Literature: of a doubling
    the last step is half of all; what grows by an eighth is told by `rise.stand_share`."""
    alike: float = 0.125
    """Share of the last step that an earlier one has at least. Literature: CPython's set takes four
    times as much, so that the step before has a quarter; half of that for rounding."""
    ratio: float = 2.0
    """How much longer what doubles stands each time. Literature: buffers and dicts double."""
    most_ratio: float = 4.0
    """The same at most. Literature: CPython's set of up to 50,000 entries."""
    slack: float = 1.25
    """So many times what the last steps predict. Convention: ours; rows stand up to 23 calls apart,
    and sizes of tables are rounded."""
    stair: float = 0.04
    """Share of the whole rise that each of regular steps has. Literature: of what grows by an
    eighth the last step is a ninth of all, the fifth last still a fourteenth; half of that."""
    fewest: int = 4
    """Gaps between steps that are enough to be stairs. Convention: ours; three can be chance."""
    uneven: float = 1.5
    """So many times as long, or as short, one gap may be as the one before. Convention: ours; rows
    stand up to 23 calls apart, and an eighth makes 1.125 of it."""


class RiseRule(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a rise a leak: see `judge.rise`."""

    tails: int = 3
    """How many of the tails may convict: after a fifth, a third and a half. Convention: ours; less
    than half of the calls is too little to say that it rises forever."""
    edge_share: float = 0.05
    """Share of a tail at its end that is not asked what it gives back: it had no time to.
    Measured by `tests/memcurve/test_growth.py`, sawteeth of 50 calls."""
    step_bytes: int = 16
    """The least rise of a quarter, in bytes. Literature: pymalloc and glibc hand out multiples of
    16 bytes."""
    page_bytes: int = 4096
    """The least rise of a quarter where whole pages are counted. Literature: the page of x86-64
    and of most arm64 kernels."""
    longest_stand: int = 150
    """Calls that growth may stand still for. Convention: as `flat_tail`, by which it would be
    flat."""
    stand_share: float = 1 / 6
    """The same as a share of the calls so far. Literature: CPython's list over-allocates by an
    eighth, and rounding makes that up to a sixth."""
    holds: float = 0.9
    """How fast the second half must rise, compared with the first. Measured by `make accuracy`: a
    cache of 100 keys by chance slows to less before call 700."""
    may_hold: float = 0.7
    """The same where chance explains the difference. Measured by `make accuracy`: leaks by chance,
    one call in 20, differ by that much in 2,000 calls."""
    significant: float = 3.0
    """Standard errors that chance may explain. Convention: three sigma."""
    long_blocks: int = 10
    """Blocks that are asked where 40 drown in what comes and goes. Measured (e265f7e): of 750 leaks
    under sawteeth 664 are growing, with 40 alone 468; of 3,000 clean curves two more."""
    regular_share: float = 0.8
    """Share of the blocks that rise at least half as much as their mean where growth is regular.
    Measured by `make accuracy`: a leak at every 100th call is not regular before call 2,000."""


class FewRule(msgspec.Struct, frozen=True, kw_only=True):
    """What calls that end before the first look can prove: see `judge.few_calls`."""

    least: int = 12
    """Calls below which nothing is said. Convention: ours; three calls of warm-up, and two tails of
    which one may be left out."""
    fewest_tail: int = 6
    """Calls of the shortest tail that is asked. Literature: as `slope.fewest_blocks`, below which
    there is no slope."""
    floor_bytes: float = 256.0
    """The highest floor that is still called flat. Convention: ours; a million calls of it are
    256 MiB, half of a small container."""
    floor_resources: float = 0.2
    """The same for descriptors, threads and tasks: one every fifth call. Convention: ours; the
    least that 12 calls can prove, of which a tail of 8 without one more shows 0.2."""


class EstimateRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is said to cost: see `judge.estimate`."""

    end_share: float = 0.02
    """Share of the calls whose rows are averaged at each end of a doubling. Convention: ours."""
    agreement: float = 0.02
    """The middle half of the block slopes must agree to this to be the plain slope. Convention: as
    the error that `make accuracy` allows a figure."""
    recount_share: float = 0.005
    """Share by which two counts of one growth may differ. Measured by `make accuracy-truth`: malloc
    hands out a block 16 bytes larger where too little would be left of it."""
    recount_bytes: int = 128
    """Bytes by which two counts of one state may differ. Measured (c48b293): the counts of rows
    that a pass keeps of itself."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as growing, as flat, and as enough.

    Bytes are bytes a call unless the name says otherwise. A verdict carries the thresholds that it
    was judged by.
    """

    tolerance: float = 1.0
    """Growth below this is not called growth, and flatness is proved against it. Convention: ours;
    a byte a call is a megabyte in a million calls."""
    floor_limit: float = 16.0
    """A noisy curve is still called flat if growth of this much would have been seen in it.
    Literature: the least that an allocator hands out, for pymalloc and for glibc."""
    children_tolerance: float = 128.0
    """The tolerance of child processes, which are seen in pages: one in 32 calls is no leak yet.
    Measured (CPython 3.11): a worker of a pool that keeps nothing touches two pages more in its
    first 100 jobs, one in the next and none later."""
    resource_tolerance: float = 0.005
    """The same for descriptors, threads and tasks. Convention: ours; one in 200 calls, since 1,024
    descriptors would last 200,000 calls."""
    first_look: int = 250
    """Calls before the first verdict. Measured by `make accuracy`: a flat tail after a warm-up of
    100 calls."""
    flat_tail: int = 150
    """Calls that must be flat at the end. Measured by `tests/memcurve/test_growth.py`: a leak at
    every 100th call cannot miss them."""
    enough: int = 300
    """Calls that are run whatever the budget says. Convention: ours; the next mark after the first
    look, so that a rise is looked at twice."""
    conviction: int = 1500
    """Calls before growth is called a leak: no bound up to here. Convention: ours; few caches hold
    more than a thousand entries and say so nowhere."""
    most_calls: int = 2000
    """Calls after which an open question stays open. Convention: ours; a third more than a
    conviction takes, for what stopped just before it."""
    undeclared: int = 10_000
    """Calls up to which a bound that nobody declares is looked for before growth is called a leak,
    while `undeclared_share` of the time lasts. Convention: ours; quick calls take two seconds."""
    undeclared_share: float = 1 / 3
    """Share of the time that may be worked for that, so that a busy machine decides as a calm one.
    Convention: ours; the rest stays for explaining."""
    max_bytes: int = 256 * MIB
    """A cache that may hold more than this is a leak, and so is growth that passed it. Convention:
    ours; half of a small container."""
    max_garbage: int = 64 * MIB
    """Garbage that may stand at once, waiting for the collector; more is heavy. Convention: ours; a
    quarter of the smallest container that a service is run in, 256 MiB."""
    least_calls: int = 250
    """Calls below which nothing is called growing, only rising. Measured by
    `make accuracy ARGS="--calls 100"`: at 100 calls seven caches of the suite still fill evenly."""
    explained: float = 0.7
    """Share of the growth that filling declared bounds must explain to acquit it. Measured by
    `make accuracy`: the shallow sizes of entries miss up to a quarter of what they hold."""
    released: float = 0.1
    """Share of the growth that, once given back by a verification, asks for another pass.
    Convention: ours; less changes no figure by more than its interval."""
    slope: SlopeRule = SlopeRule()
    flat: FlatRule = FlatRule()
    stand: StandRule = StandRule()
    doubling: DoublingRule = DoublingRule()
    rise: RiseRule = RiseRule()
    few: FewRule = FewRule()
    estimate: EstimateRule = EstimateRule()

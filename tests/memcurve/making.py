"""A small language for curves, and builders of everything that a report is made of.

``curve(calls=300).flat(20).grows(per_call=96).noise(seed=1)`` reads as it runs: segments follow one
another, a segment without a length goes to the end, and what follows a segment bends all of it.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from memcurve.judge.judgement import judge
from memcurve.model.baseline import AcceptedCurve, AcceptedDesign, Baseline
from memcurve.model.caveat import Caveat
from memcurve.model.curve import Curve
from memcurve.model.findings import (
    Culprit,
    Cycle,
    Edge,
    Explanation,
    Ledger,
    Peak,
    Site,
    TypeCount,
)
from memcurve.model.outcome import Comparison, Crossing, LeftBand, Outcome, Run
from memcurve.model.recording import (
    Bound,
    Environment,
    Failure,
    InFlight,
    Mode,
    PassKind,
    PassRecord,
    Recording,
    Samples,
    Source,
    Verification,
)
from memcurve.model.verdict import (
    Evidence,
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rate,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveMaker:
    """Values after call 0, 1, 2 …; every method returns a longer or bent copy."""

    calls: int
    levels: tuple[float, ...]
    every: int = 1

    def flat(self, calls: int | None = None) -> "CurveMaker":
        """Stay at the level reached."""
        return self._extended([0.0] * self._length(calls))

    def grows(self, *, per_call: float, calls: int | None = None) -> "CurveMaker":
        """Rise by the same amount at every call."""
        return self._extended([per_call] * self._length(calls))

    def steps(self, *, by: float, every: int, calls: int | None = None) -> "CurveMaker":
        """Rise by `by` at every `every`-th call."""
        rises = [by if (i + 1) % every == 0 else 0.0 for i in range(self._length(calls))]
        return self._extended(rises)

    def fills(self, *, to: float, within: float = 30, calls: int | None = None) -> "CurveMaker":
        """Rise ever more slowly by `to` in all; `within` is the time constant in calls."""
        levels = [to * (1 - math.exp(-i / within)) for i in range(self._length(calls) + 1)]
        return self._extended([b - a for a, b in pairwise(levels)])

    def jumps(self, by: float) -> "CurveMaker":
        """Rise or fall at one call."""
        return self._extended([by])

    def sawtooth(self, *, per_call: float, every: int) -> "CurveMaker":
        """Lay a sawtooth on the whole curve: rising at each call, back to zero every `every`."""
        return self.bent([per_call * (i % every) for i in range(len(self.levels))])

    def blip(self, *, at: int, by: float, calls: int = 1) -> "CurveMaker":
        """Add `by` to some calls and give it back."""
        return self.bent([by if at <= i < at + calls else 0 for i in range(len(self.levels))])

    def noise(self, *, seed: int, by: float = 64) -> "CurveMaker":
        """Add reproducible noise of that standard deviation to every call but the start."""
        dice = random.Random(seed)
        return self.bent([0.0] + [dice.gauss(0, by) for _ in self.levels[1:]])

    def above(self, level: float) -> "CurveMaker":
        """Lift the whole curve, its start included."""
        return self.bent([level] * len(self.levels))

    def bent(self, offsets: list[float]) -> "CurveMaker":
        """Add an offset to each call, the start included."""
        levels = [level + offset for level, offset in zip(self.levels, offsets, strict=True)]
        return replace(self, levels=tuple(levels))

    def sampled(self, *, every: int) -> "CurveMaker":
        """Keep a row only every `every` calls, and the last one."""
        return replace(self, every=every)

    def rows(self) -> dict[int, int]:
        """Return what was read after which call."""
        last = len(self.levels) - 1
        kept = {i for i in range(last + 1) if i % self.every == 0} | {last}
        return {i: round(self.levels[i]) for i in sorted(kept)}

    def make(self, counter: str = "live_bytes") -> Curve:
        """Return the curve of that counter."""
        rows = self.rows()
        return Curve(counter=counter, calls=tuple(rows), values=tuple(rows.values()))

    def _length(self, calls: int | None) -> int:
        return max(self.calls - len(self.levels) + 1, 0) if calls is None else calls

    def _extended(self, rises: list[float]) -> "CurveMaker":
        levels = list(self.levels)
        for rise in rises:
            levels.append(levels[-1] + rise)
        return replace(self, levels=tuple(levels), calls=max(self.calls, len(levels) - 1))


def curve(*, calls: int = 100, start: float = 0) -> CurveMaker:
    """Begin a curve of that many calls at `start`."""
    return CurveMaker(calls=calls, levels=(float(start),))


def samples(**counters: CurveMaker) -> Samples:
    """Put curves beside each other; a counter without a row at a call is None there."""
    rows = {name: maker.rows() for name, maker in counters.items()}
    calls = tuple(sorted({call for read in rows.values() for call in read}))
    columns = {name: tuple(read.get(call) for call in calls) for name, read in rows.items()}
    return Samples(calls=calls, counters=columns)


def pass_record(
    kind: PassKind,
    *,
    mode: Mode | None = None,
    verified: bool = False,
    failure: Failure | None = None,
    bounds: tuple[Bound, ...] = (),
    **counters: CurveMaker,
) -> PassRecord:
    """Make a pass; `verified` says that giving back what was frozen freed nothing at the end."""
    made = samples(**counters)
    last = made.calls[-1] if made.calls else 0
    verification = Verification(
        call=last,
        released_bytes=0,
        waited_bytes=0,
        unfrozen_objects=0,
        in_flight=InFlight(),
        bounds=bounds,
    )
    return PassRecord(
        kind=kind,
        mode=mode or ("natural" if kind == "natural" else "settled"),
        samples=made,
        verifications=(verification,) if verified else (),
        failure=failure,
        calls=last,
        cpu_s=made.counters["cpu_ns"][-1] / 1e9 if "cpu_ns" in made.counters else 0.0,
        wall_s=made.counters["wall_ns"][-1] / 1e9 if "wall_ns" in made.counters else 0.0,
    )


def settled(
    memory: CurveMaker | None = None,
    *,
    malloc: CurveMaker | None = None,
    verified: bool = True,
    **counters: CurveMaker,
) -> PassRecord:
    """Make a settled pass whose Python heap follows `memory`; what is not given stays flat."""
    memory = memory or curve().flat()
    still = replace(curve(calls=memory.calls).flat(), every=memory.every)
    filled = {"fds": still.above(11), "threads": still.above(1), "tasks": still} | counters
    filled = {"deferred_bytes": still, "deferred_objects": still, "objects": still} | filled
    return pass_record(
        "settled",
        verified=verified,
        python_bytes=memory.above(4_000_000),
        malloc_bytes=(malloc or still).above(9_000_000),
        **filled,
    )


def natural(memory: CurveMaker | None = None, **counters: CurveMaker) -> PassRecord:
    """Make a natural pass whose malloc heap follows `memory`; RSS follows unless it is given."""
    memory = memory or curve().flat()
    still = replace(curve(calls=memory.calls).flat(), every=memory.every)
    filled = {
        "fds": still.above(11),
        "sockets": still.above(2),
        "threads": still.above(1),
        "tasks": still,
        "rss_bytes": memory.above(60_000_000),
        "rss_peak_bytes": memory.above(60_000_000),
        "cpu_ns": replace(curve(calls=memory.calls).grows(per_call=8e6), every=memory.every),
        "wall_ns": replace(curve(calls=memory.calls).grows(per_call=9e6), every=memory.every),
    } | counters
    return pass_record(
        "natural",
        python_bytes=still.above(4_000_000),
        malloc_bytes=memory.above(9_000_000),
        **filled,
    )


def environment(*, python: str = "3.11.7", **packages: str) -> Environment:
    """Make an environment like the one of development."""
    return Environment(
        python=python,
        implementation="CPython",
        platform="linux",
        machine="x86_64",
        libc="glibc 2.36",
        allocator="pymalloc",
        free_threaded=False,
        sources={
            "python_bytes": Source(name="_PyObject_DebugMallocStats", exact=True),
            "malloc_bytes": Source(name="mallinfo2", exact=True),
        },
        packages=packages or {"httpx": "0.28.1", "openai": "3.54.0"},
        executable="python3",
    )


def recording(
    *passes: PassRecord,
    scenario: str = "rag_client",
    design: str = "naive",
    calls: int = 100,
    packages: Mapping[str, str] | None = None,
) -> Recording:
    """Make a recording of these passes, one settled flat pass by default."""
    return Recording(
        scenario=scenario,
        design=design,
        target=f"bench.designs.{design}:{scenario}",
        calls=calls,
        environment=environment(**(packages or {})),
        passes=passes or (settled(),),
        recorded_at="2026-11-22T12:00:00+00:00",
    )


def evidence(counter: str = "live_bytes", per_call: float = 0.0, **changes: object) -> Evidence:
    """Make the evidence of a slope over calls 20 to 300."""
    fields: dict[str, object] = {
        "counter": counter,
        "per_call": per_call,
        "low": per_call * 0.98,
        "high": per_call * 1.02,
        "from_call": 20,
        "to_call": 300,
        "rows": 280,
        "floor": 1.0 if counter.endswith("bytes") else 0.005,
    }
    return Evidence(**(fields | changes))  # type: ignore[arg-type]


def flat(counter: str = "live_bytes") -> Flat:
    """Make the verdict that nothing grows."""
    return Flat(evidence=evidence(counter))


def growing(per_call: float, counter: str = "live_bytes", *, up_to: int = 1500) -> Growing:
    """Make the verdict that `counter` grows by `per_call` with every call."""
    found = evidence(counter, per_call, to_call=up_to)
    return Growing(
        evidence=found, per_call=per_call, low=found.low, high=found.high, no_bound_up_to=up_to
    )


def plateaued(*, at: int, size: float, projected: bool = False) -> Plateaued:
    """Make the verdict that memory rose by `size` up to call `at`."""
    return Plateaued(evidence=evidence(), at=at, size=size, projected=projected)


def inconclusive(why: str = "the interval holds both flat and growing") -> Inconclusive:
    """Make the verdict that neither growth nor flatness is proved."""
    return Inconclusive(
        evidence=evidence(per_call=3.0, low=-2.0, high=8.0, floor=8.0),
        why=why,
        settle_by="2,000 calls",
    )


def judgement(
    retained: Verdict | None = None,
    *,
    deferred: Rate | None = None,
    python_per_call: float = 0.0,
    native_per_call: float = 0.0,
    objects_per_call: float = 0.0,
    calls: int = 300,
    caveats: tuple[Caveat, ...] = (),
    **verdicts: Verdict,
) -> Judgement:
    """Make a judgement: everything is flat unless it is given."""
    rest: dict[str, Verdict] = {name: flat(name) for name in ("fds", "threads", "tasks")}
    beside: dict[str, Verdict] = {"deferred": flat("deferred_bytes"), **rest, **verdicts}
    return Judgement(
        verdicts={"retained": retained or flat(), **beside},
        python_per_call=python_per_call,
        native_per_call=native_per_call,
        objects_per_call=objects_per_call,
        deferred=deferred or Rate(bytes_per_call=0.0, objects_per_call=0.0),
        calls=calls,
        caveats=caveats,
    )


def culprit(
    name: str = "ssl.SSLContext", *, bytes_per_call: float = 864_000, **more: object
) -> Culprit:
    """Make a culprit: one object a call, held by a list of a module."""
    fields: dict[str, object] = {
        "type": name,
        "per_call": 1.0,
        "bytes_per_call": bytes_per_call,
        "share": 0.98,
        "path": ("module bench.designs.naive", "KEPT (list)", "[…]", name),
        "site": "bench/designs/naive.py:42",
        "fingerprint": "3f9a1c2b",
    }
    return Culprit(**(fields | more))  # type: ignore[arg-type]


def cycle(*members: str, per_call: float = 1.0) -> Cycle:
    """Make a cycle through these members, each referring to the next by its own name."""
    edges = tuple(
        Edge(source=i, target=(i + 1) % len(members), label=f".{member.lower()}")
        for i, member in enumerate(members)
    )
    return Cycle(
        words=" → ".join([*members, members[0]]),
        per_call=per_call,
        objects=len(members),
        bytes=96 * len(members),
        members=members,
        edges=edges,
    )


def explanation(*culprits: Culprit, cycles: tuple[Cycle, ...] = ()) -> Explanation:
    """Make what the explaining passes found: these culprits and cycles, two call sites, a peak."""
    sites = (
        Site(
            site="bench/designs/naive.py:42",
            function="build_client",
            bytes_per_call=864_000.0,
            blocks_per_call=1_204.0,
            native=True,
            stack=("bench/designs/naive.py:42", "bench/designs/naive.py:80"),
        ),
        Site(
            site="bench/designs/naive.py:71",
            function="start",
            bytes_per_call=19_000.0,
            blocks_per_call=55.5,
            native=False,
        ),
    )
    return Explanation(
        culprits=culprits,
        survivors=(TypeCount(type="dict", per_call=12.0, bytes_per_call=2_208.0),),
        cycles=cycles,
        sites=sites,
        peak=Peak(bytes=97_000_000, sites=sites[:1]),
        calls=100,
        tracer="memray",
        flame_graph="reports/executions-naive.html",
        notes=("frames of stripped libraries have no names",),
    )


def ledger(rss: int, *, calls: int = 100) -> Ledger:
    """Make a ledger in which malloc holds nine tenths of the growth of RSS."""
    return Ledger(
        from_call=0,
        to_call=calls,
        rss=rss,
        retained_python=rss // 50,
        retained_malloc=rss * 9 // 10,
        deferred=rss // 50,
        allocator_slack=rss // 25,
        other_mappings=rss // 100,
        residual=rss - rss // 50 * 2 - rss * 9 // 10 - rss // 25 - rss // 100,
    )


def accepted(maker: CurveMaker, *, band: float, counter: str = "live_bytes") -> AcceptedCurve:
    """Make an accepted curve with a band of that half-width."""
    grown = maker.make(counter).grown()
    return AcceptedCurve(
        counter=counter,
        calls=grown.calls,
        values=grown.values,
        low=tuple(v - band for v in grown.values),
        high=tuple(v + band for v in grown.values),
    )


def accepted_design(*curves: AcceptedCurve, verdict: str = "flat") -> AcceptedDesign:
    """Make what was accepted of one design."""
    return AcceptedDesign(curves={c.counter: c for c in curves}, verdict=verdict)


def baseline(scenario: str, **designs: AcceptedDesign) -> Baseline:
    """Make the baseline of a scenario in the environment of development."""
    return Baseline(
        scenario=scenario,
        environment=environment(),
        reason="first accepted curves",
        accepted_at="2026-11-20T09:00:00+00:00",
        repeats=5,
        designs=designs,
    )


def crossing(
    *,
    scenario: str = "rag_client",
    design: str = "pooled",
    counter: str = "live_bytes",
    call: int = 37,
    value: float = 31_000,
    limit: float = 12_000,
) -> LeftBand:
    """Make a curve that left its band."""
    return LeftBand(
        scenario=scenario,
        design=design,
        counter=counter,
        call=call,
        value=value,
        limit=limit,
        last_call=100,
    )


def comparison(
    *crossings: Crossing,
    scenario: str = "rag_client",
    design: str = "pooled",
    against: AcceptedDesign | None = None,
) -> Comparison:
    """Make a comparison with these crossings."""
    return Comparison(scenario=scenario, design=design, baseline=against, crossings=crossings)


def outcome(
    of: Recording | None = None,
    *,
    judged: Judgement | None = None,
    compared: Comparison | None = None,
    culprits: tuple[Culprit, ...] = (),
    where: Ledger | None = None,
    explained: Explanation | None = None,
) -> Outcome:
    """Make an outcome; the recording is judged by the real rules unless a judgement is given."""
    of = of or recording()
    failed = of.of("settled") is None or of.failure is not None
    return Outcome(
        recording=of,
        judgement=judged or (None if failed else judge(of)),
        comparison=compared,
        culprits=culprits,
        ledger=where,
        explanation=explained,
    )


def run(*outcomes: Outcome, command: str = "make bench", **descriptions: str) -> Run:
    """Make a run of these outcomes."""
    return Run(
        outcomes=outcomes,
        descriptions=descriptions,
        command=command,
        recorded_at="2026-11-22T12:00:00+00:00",
        elapsed_s=42.0,
    )

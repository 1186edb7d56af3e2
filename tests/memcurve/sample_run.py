"""A run as `make bench` gives it, made up: the shapes are those that the real designs show."""

from memcurve.model.outcome import Outcome, Run
from memcurve.model.recording import Failure, PassRecord
from memcurve.model.verdict import Rate
from tests.memcurve.making import (
    CurveMaker,
    accepted,
    accepted_design,
    comparison,
    crossing,
    culprit,
    curve,
    cycle,
    explanation,
    flat,
    growing,
    judgement,
    ledger,
    natural,
    outcome,
    pass_record,
    plateaued,
    recording,
    run,
    settled,
)

KIB, MIB = 1024, 1024**2


def _long(calls: int = 1500) -> CurveMaker:
    return curve(calls=calls)


def _settled(memory: CurveMaker, malloc: CurveMaker, garbage: float, opened: float) -> PassRecord:
    still = curve(calls=memory.calls)
    return settled(
        memory,
        malloc=malloc,
        deferred_bytes=still.flat().above(garbage).noise(seed=4, by=garbage / 50),
        deferred_objects=still.flat().above(154),
        connections_opened=still.grows(per_call=opened),
    )


def _natural(
    *, tooth: float, rises: float, fds: CurveMaker, cpu_ms: float, seed: int
) -> PassRecord:
    memory = curve().fills(to=60 * KIB).noise(seed=seed, by=3000)
    memory = memory.bent([rises * i for i in range(101)]).sawtooth(per_call=tooth, every=7)
    rss = curve().fills(to=1.5 * MIB + 7 * tooth, within=6).noise(seed=seed, by=40_000)
    rss = rss.bent([rises * i for i in range(101)])
    peak, highest = [], 0.0
    for level in rss.levels:
        highest = max(highest, level)
        peak.append(highest)
    return natural(
        memory,
        rss_bytes=rss.above(60 * MIB),
        rss_peak_bytes=CurveMaker(calls=100, levels=tuple(peak)).above(60 * MIB),
        fds=fds.above(11),
        connections_open=fds,
        cpu_ns=curve().grows(per_call=cpu_ms * 1e6),
    )


def naive(scenario: str, *, kept: bool = False) -> Outcome:
    """A design that builds everything in each call; `kept` says that something holds each one."""
    rate = 857 * KIB if kept else 0
    saw = curve().flat().sawtooth(per_call=2, every=7)
    fds = curve().grows(per_call=2) if kept else saw
    made = recording(
        _settled(
            _long().fills(to=9000, within=8).noise(seed=1, by=60)
            if not kept
            else _long().grows(per_call=19 * KIB),
            _long().grows(per_call=rate),
            881_000 if not kept else 12_000,
            opened=2,
        ),
        _natural(tooth=0 if kept else 845 * KIB, rises=rate, fds=fds, cpu_ms=45, seed=1),
        scenario=scenario,
        design="naive",
    )
    if not kept:
        deferred = Rate(bytes_per_call=881_000.0, objects_per_call=154.0)
        return outcome(made, judged=judgement(deferred=deferred, calls=1500), where=ledger(9 * MIB))
    return outcome(
        made,
        judged=judgement(
            growing(876 * KIB),
            deferred=Rate(bytes_per_call=12_000.0, objects_per_call=20.0),
            python_per_call=19 * KIB,
            native_per_call=857 * KIB,
            objects_per_call=2.0,
            calls=1500,
        ),
        explained=explanation(
            culprit(),
            culprit(
                "asyncio.Task",
                bytes_per_call=19 * KIB,
                share=0.02,
                advice="remove finished executions from active_executions",
                site="bench/designs/naive.py:71",
            ),
            cycles=(cycle("Task", "coroutine", "frame", "Future"), cycle("Client", "Session")),
        ),
        where=ledger(86 * MIB),
    )


def published(scenario: str) -> Outcome:
    """The singletons as printed: they stop early, and keep a few kilobytes more."""
    made = recording(
        _settled(
            _long().fills(to=6000, within=4, calls=40).jumps(12_000).flat(150).jumps(9_000).flat(),
            _long().flat(),
            31_000,
            opened=0.03,
        ),
        _natural(tooth=30 * KIB, rises=0, fds=curve().jumps(3).flat(), cpu_ms=11, seed=2),
        scenario=scenario,
        design="published",
    )
    deferred = Rate(bytes_per_call=31_000.0, objects_per_call=60.0)
    judged = judgement(plateaued(at=192, size=27_000), deferred=deferred, calls=1500)
    return outcome(made, judged=judged)


def pooled(scenario: str, *, crossed: bool = False) -> Outcome:
    """The pooled design: flat after its warm-up; `crossed` lets it leave its band at call 37."""
    memory = _long().fills(to=6500, within=4).noise(seed=3, by=40)
    band = accepted(curve().fills(to=6500, within=4), band=4 * KIB)
    if crossed:
        memory = _long().fills(to=6500, within=4, calls=36).grows(per_call=1200)
    made = recording(
        _settled(memory, _long().flat(), 9_000, opened=0.02),
        _natural(tooth=9 * KIB, rises=0, fds=curve().jumps(2).flat(), cpu_ms=8, seed=3),
        scenario=scenario,
        design="pooled",
    )
    found = (crossing(scenario=scenario, call=37, value=83_000, limit=10_600),) if crossed else ()
    held = comparison(*found, scenario=scenario, against=accepted_design(band))
    deferred = Rate(bytes_per_call=9_000.0, objects_per_call=43.0)
    verdict = growing(1200) if crossed else flat()
    judged = judgement(verdict, deferred=deferred, python_per_call=1200.0 * crossed, calls=1500)
    return outcome(made, judged=judged, compared=held)


def failed(scenario: str, design: str = "published") -> Outcome:
    """A design whose 37th call raised."""
    failure = Failure(
        stage="call",
        kind="raised",
        message="RuntimeError: Event loop is closed",
        call=37,
        traceback='Traceback (most recent call last):\n  File "pool.py", line 9, in get\n',
    )
    broken = pass_record(
        "settled",
        failure=failure,
        python_bytes=curve(calls=36).flat(),
        malloc_bytes=curve(calls=36).flat(),
    )
    return outcome(recording(broken, scenario=scenario, design=design))


def sample_run() -> Run:
    """Three designs, three scenarios; nothing is crossed."""
    return run(
        *(
            make(name)
            for name in ("rag_client", "vectordb_node")
            for make in (naive, published, pooled)
        ),
        naive("executions", kept=True),
        pooled("executions"),
        rag_client="one retrieval call",
        vectordb_node="retrieve, judge, refine, search again, answer",
        executions="every execution stays registered",
    )


def crossed_run() -> Run:
    """The same with a pooled design that left its band, and a design that failed."""
    return run(
        naive("rag_client"),
        failed("rag_client"),
        pooled("rag_client", crossed=True),
        rag_client="one retrieval call",
    )

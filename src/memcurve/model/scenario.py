"""A workload worth measuring, and the designs that do its work."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import msgspec

from memcurve.model.errors import ScenarioError
from memcurve.model.text import LONGEST_NAME, name_problem, printable, shown_name
from memcurve.model.units import COUNTERS


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is called, by name, so that another process can import it.

    `call`, `setup` and `teardown` are ``package.module:attribute`` or ``path/file.py:attribute``.
    A set-up may return a value or yield it once; the call then may take it before its number.
    `inputs` is the path of a JSON Lines file whose lines replace the number; `loop` asks for an
    event loop although the call itself is not a coroutine function.
    """

    call: str
    setup: str | None = None
    teardown: str | None = None
    inputs: str | None = None
    paths: tuple[str, ...] = ()
    loop: bool = False


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """What runs beside the measured process while a scenario is measured.

    `environment` is set in the measured process; `gauges` are integers that the backend keeps in a
    file of signed 64-bit values: counter name to (path, position).
    """

    environment: dict[str, str] = {}
    gauges: dict[str, tuple[str, int]] = {}


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """What `design` must save over the design `over`, whatever the machine.

    `at_most` gives for a counter the largest share of the other's that it may use: at the last
    call, in the same run. CPU time belongs here, since it means nothing on another machine.
    """

    design: str
    over: str
    at_most: dict[str, float]


BackendFactory = Callable[[], AbstractContextManager[Backend]]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A named workload with one target for each design, and the calls that its curves show.

    Every design must not grow, except those in `may_grow`, which are there to be looked at.
    """

    name: str
    designs: dict[str, Target]
    calls: int = 100
    verdict_calls: int | None = None
    description: str = ""
    backend: BackendFactory | None = None
    packages: tuple[str, ...] = ()
    may_grow: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()
    explain: bool = True
    brief: tuple[str, ...] = ()


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What reports need of a scenario's declaration, kept beside its recordings.

    A folder of recordings may be read where the scenario's file is not.
    """

    designs: tuple[str, ...]
    calls: int
    description: str = ""
    may_grow: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()


def declared(one: Scenario) -> Declared:
    """Return what is kept of a scenario's declaration."""
    return Declared(
        designs=tuple(one.designs),
        calls=one.calls,
        description=one.description,
        may_grow=one.may_grow,
        leads=one.leads,
    )


def scenario(
    name: str,
    designs: Mapping[str, str | Target],
    *,
    calls: int = 100,
    verdict_calls: int | None = None,
    description: str = "",
    backend: BackendFactory | None = None,
    packages: tuple[str, ...] = (),
    may_grow: tuple[str, ...] = (),
    leads: tuple[Lead, ...] = (),
    explain: bool = True,
    brief: tuple[str, ...] = (),
) -> Scenario:
    """Declare a scenario; a design is a target or its text.

    `calls` are shown and compared. `verdict_calls` is how many a design runs for its verdict: a
    fixed number gives two runs the same verdict; without one, as many as a few seconds of CPU time
    allow. Designs in `brief` run the calls shown only, if they may grow. `explain`:
    False where what grows is known, and explained only when it crosses a threshold or is asked for.
    `packages` are the distributions whose versions belong to the recording.

    Raises ScenarioError for a name that cannot be a file's, no designs, fewer than 1 call, or a
    design that `may_grow`, `brief` or `leads` name and that is not there, or a lead in a counter
    that does not exist.
    """
    if name_problem(name) or not name.replace("_", "").replace("-", "").isalnum():
        raise ScenarioError(
            f"scenario name {shown_name(name)}: use letters, digits, '_' and '-', at most "
            f"{LONGEST_NAME}"
        )
    for design in designs:
        if problem := name_problem(design):
            raise ScenarioError(f"scenario {name!r}: design {shown_name(design)}: {problem}")
    if not designs:
        raise ScenarioError(f"scenario {name!r} has no designs; give at least one target")
    if min(calls, verdict_calls or calls) < 1:
        raise ScenarioError(
            f"scenario {name!r}: calls is {calls}, verdict_calls {verdict_calls}; ask for 1 or more"
        )
    named = {*may_grow, *brief, *(n for lead in leads for n in (lead.design, lead.over))}
    if unknown := sorted(named - set(designs)):
        raise ScenarioError(
            f"scenario {name!r} has no design {unknown[0]!r}; it has {', '.join(designs)}"
        )
    for lead in leads:
        _check_lead(name, lead, has_gauges=backend is not None)
    targets = {key: Target(call=d) if isinstance(d, str) else d for key, d in designs.items()}
    return Scenario(
        name=name,
        designs=targets,
        calls=calls,
        verdict_calls=verdict_calls,
        description=printable(description),
        backend=backend,
        packages=packages,
        may_grow=may_grow,
        leads=leads,
        explain=explain,
        brief=brief,
    )


def _check_lead(scenario: str, lead: Lead, *, has_gauges: bool) -> None:
    """Refuse a share that is none, and a counter that nothing can have; gauges have own names."""
    for counter, most in lead.at_most.items():
        if counter not in COUNTERS and not has_gauges:
            raise ScenarioError(
                f"scenario {scenario!r}: {lead.design} over {lead.over}: no counter "
                f"{shown_name(counter)}; there are {', '.join(COUNTERS)}"
            )
        if not 0 < most < float("inf"):
            raise ScenarioError(
                f"scenario {scenario!r}: {lead.design} over {lead.over}: at_most {counter} is "
                f"{most}; give a share above 0, such as 0.5"
            )

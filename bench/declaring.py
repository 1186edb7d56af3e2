"""How the scenarios of the benchmark are declared: three designs, one backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.backend import PACKAGES, stub_backend
from memcurve import Scenario, scenario
from memcurve.model.scenario import Lead, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

SETUPS = "bench.designs.pooled.setups"
# Calls for a verdict, by what a call of the pooled design costs: fewer where it costs more, so that
# the whole benchmark takes minutes. Not below 600: at 400 calls the intervals of the expensive ones
# ended at 1 B a call, the tolerance itself, and `batch` fell on either side of it.
FOR_2_MS, FOR_4_MS, FOR_10_MS = 1000, 700, 600


def three_designs(
    name: str,
    description: str,
    *,
    setup: str = "pools",
    at_most: Mapping[str, float] | None = None,
    extra: Mapping[str, str | Target] | None = None,
    must_not_grow: tuple[str, ...] = ("pooled",),
    calls: int = 100,
    verdict_calls: int = FOR_2_MS,
    explain: bool = True,
    expensive: tuple[str, ...] = ("naive",),
    module: str = "calls",
) -> Scenario:
    """Declare a scenario whose designs are `bench.designs.{naive,published,pooled}.calls:name`.

    `module` stands in the place of `calls`, `setup` prepares the pooled design, `at_most` is what
    it may use of what naive uses, `extra` are further designs. Calls of the designs in `expensive`
    are: the others run `verdict_calls`.
    """
    designs: dict[str, str | Target] = {
        "naive": f"bench.designs.naive.{module}:{name}",
        "published": f"bench.designs.published.{module}:{name}",
        **(extra or {}),
        "pooled": Target(call=f"bench.designs.pooled.{module}:{name}", setup=f"{SETUPS}:{setup}"),
    }
    leads = (Lead(design="pooled", over="naive", at_most=dict(at_most)),) if at_most else ()
    return declared(
        name,
        designs,
        description,
        leads,
        must_not_grow,
        calls=calls,
        verdict_calls=verdict_calls,
        explain=explain,
        expensive=expensive,
    )


def declared(
    name: str,
    designs: Mapping[str, str | Target],
    description: str,
    leads: tuple[Lead, ...] = (),
    must_not_grow: tuple[str, ...] = ("pooled",),
    calls: int = 100,
    verdict_calls: int = FOR_2_MS,
    explain: bool = True,
    expensive: tuple[str, ...] = ("naive",),
) -> Scenario:
    """Declare a scenario; designs in `expensive` run no more calls than are shown."""
    return scenario(
        name,
        designs,
        calls=calls,
        verdict_calls=verdict_calls,
        description=description,
        backend=stub_backend,
        packages=PACKAGES,
        may_grow=tuple(design for design in designs if design not in must_not_grow),
        leads=leads,
        explain=explain,
        brief=tuple(design for design in designs if design in expensive),
    )

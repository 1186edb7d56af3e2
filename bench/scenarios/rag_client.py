"""One search at the retrieval service a call."""

from bench.backend import PACKAGES, stub_backend
from memcurve import scenario
from memcurve.scenario import Lead, Target

rag_client = scenario(
    "rag_client",
    {
        "naive": "bench.designs.naive:rag_client",
        "pooled": Target(
            call="bench.designs.pooled:rag_client", setup="bench.designs.pooled:pools"
        ),
    },
    description="One search a call: a new HTTP client each time, or one client for all.",
    backend=stub_backend,
    packages=PACKAGES,
    may_grow=("naive",),
    leads=(
        Lead(
            design="pooled",
            over="naive",
            at_most={"connections_opened": 0.1, "deferred_bytes": 0.25, "cpu_ns": 0.5},
        ),
    ),
)

"""The vector database node: retrieve, judge, refine the query, search again, answer."""

from bench.backend import PACKAGES, stub_backend
from memcurve import scenario
from memcurve.scenario import Lead, Target

vectordb_node = scenario(
    "vectordb_node",
    {
        "naive": "bench.designs.naive:vectordb_node",
        "pooled": Target(
            call="bench.designs.pooled:vectordb_node", setup="bench.designs.pooled:pools"
        ),
    },
    description="An iterative search a call: two searches, three model calls, one answer.",
    backend=stub_backend,
    packages=PACKAGES,
    may_grow=("naive",),
    leads=(
        Lead(
            design="pooled",
            over="naive",
            at_most={"connections_opened": 0.1, "deferred_bytes": 0.25, "cpu_ns": 0.7},
        ),
    ),
)

"""The vector database node: retrieve, judge, refine the query, search again, answer."""

from bench.scenarios._declaring import three_designs

vectordb_node = three_designs(
    "vectordb_node",
    "An iterative search a call: two searches, three model calls, one answer.",
    at_most={"connections_opened": 0.1, "deferred_bytes": 0.25, "cpu_ns": 0.7},
)

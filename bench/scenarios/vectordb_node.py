"""The vector database node: retrieve, judge, search again with a better query, answer."""

from bench.declaring import FOR_10_MS, three_designs

vectordb_node = three_designs(
    "vectordb_node",
    "An iterative search a call: two searches, two judgements, one answer.",
    setup="default_pools",
    verdict_calls=FOR_10_MS,
    expensive=("naive", "published"),
    at_most={"connections_opened": 0.1, "deferred_bytes": 0.25, "cpu_ns": 0.7},
)

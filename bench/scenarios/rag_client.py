"""The retrieval client: one search a call."""

from bench.declaring import three_designs

rag_client = three_designs(
    "rag_client",
    "One search a call: a new HTTP client each time, or one client for all.",
    explain=False,  # vectordb_node is, which leaves the same clients to the collector
    at_most={"connections_opened": 0.1, "deferred_bytes": 0.25, "cpu_ns": 0.5},
)

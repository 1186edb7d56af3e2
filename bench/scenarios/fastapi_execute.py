"""The HTTP service: one `POST /execute` a call."""

from bench.declaring import declared
from memcurve.model.scenario import Lead, Target

CALLS, SERVICES = "bench.designs.service.calls", "bench.designs.service.services"

fastapi_execute = declared(
    "fastapi_execute",
    {
        "naive": Target(call=f"{CALLS}:execute", setup=f"{SERVICES}:naive_service"),
        "published": Target(call=f"{CALLS}:execute", setup=f"{SERVICES}:published_service"),
        "pooled": Target(call=f"{CALLS}:execute_nodes", setup=f"{SERVICES}:pooled_service"),
    },
    "One request a call; database, settings and clients per request, or in app.state.",
    # sqlite3 drops dead cursors every 100th call or so: 17 KB come and go. Decided from 700 on.
    verdict_calls=700,
    explain=False,  # vectordb_node is, which builds the same clients
    expensive=("naive",),
    leads=(
        Lead(design="pooled", over="naive", at_most={"connections_opened": 0.1, "cpu_ns": 0.8}),
    ),
)

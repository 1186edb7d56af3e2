"""Every route of the service: one request a call, or the few that belong together."""

from bench.declaring import declared
from memcurve import Scenario
from memcurve.model.scenario import Target

# sqlite3 drops dead cursors at every 200th statement, 17 KB: after 600 calls that sawtooth left
# floors of 13 to 26 B a call, where 16 are asked for
VERDICT_CALLS = 1000
CALLS, SERVICES = "bench.designs.service.routes", "bench.designs.service.asked"


def of_the_service(
    name: str,
    description: str,
    *,
    call: str = "",
    setup: str = "service",
    naive: str = "",
    naive_call: str = "",
) -> Scenario:
    """Declare a scenario of ragpool's service; `naive` sets up the service beside it, if any."""
    call = call or name
    designs = {"pooled": Target(call=f"{CALLS}:{call}", setup=f"{SERVICES}:{setup}")}
    if naive:
        target = Target(call=f"{CALLS}:{naive_call or call}", setup=f"{SERVICES}:{naive}")
        designs = {"naive": target, **designs}
    return declared(
        f"service_{name}",
        designs,
        description,
        verdict_calls=VERDICT_CALLS,
        explain=False,
    )


execute = of_the_service(
    "execute", "POST /execute with wait: the result in the answer.", naive="unaided"
)
look = of_the_service(
    "look",
    "POST /execute, then GET /executions/{id} until it is over.",
    call="execute_and_look",
)
listing = of_the_service(
    "list", "GET /executions, five of twenty.", call="list_executions", setup="with_history"
)
delete = of_the_service(
    "delete",
    "POST /execute, then DELETE /executions/{id} while its model does not answer.",
    call="delete_execution",
    setup="hanging",
)
pools = of_the_service("pools", "GET /pools.")
metrics = of_the_service("metrics", "GET /metrics.")
health = of_the_service("health", "GET /health.")
documentation = of_the_service("documentation", "The four pages that FastAPI writes.")
refused = of_the_service("refused", "Ten requests a call, each refused for another reason.")

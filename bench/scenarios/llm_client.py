"""The language model client: one configuration, and 40 of them in turn."""

from bench.declaring import FOR_4_MS, SETUPS, three_designs
from memcurve.model.scenario import Target

llm_client = three_designs(
    "llm_client",
    "One question a call to one model: OpenAI, the same configuration every time.",
    verdict_calls=FOR_4_MS,
)
llm_client_40 = three_designs(
    "llm_client_40",
    "One question a call to one of 40 configurations in turn, half OpenAI and half Anthropic; "
    "evicting: two models each, from a pool of 8.",
    extra={
        "evicting": Target(
            call="bench.designs.pooled.two_vendors:llm_client_40_evicting",
            setup=f"{SETUPS}:small_pools",
        )
    },
    must_not_grow=("evicting", "pooled"),
    verdict_calls=FOR_4_MS,
    expensive=("naive", "published"),
    module="two_vendors",
    at_most={"cpu_ns": 0.7, "connections_opened": 1.0},
)

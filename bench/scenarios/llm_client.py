"""The language model client: one configuration, and 40 of them in turn."""

from bench.scenarios._declaring import three_designs

llm_client = three_designs(
    "llm_client",
    "One question a call to one model: OpenAI, the same configuration every time.",
)
llm_client_40 = three_designs(
    "llm_client_40",
    "One question a call to one of 40 configurations in turn, half OpenAI and half Anthropic.",
    at_most={"cpu_ns": 0.7, "connections_opened": 1.0},
)

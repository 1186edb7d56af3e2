"""What each of the article's four measures pays: each alone, all but one, none, all."""

from bench.declaring import FOR_10_MS, SETUPS, declared
from memcurve.model.scenario import Target

HOME = "bench.designs.ablation"
DESIGNS = (
    "none",
    "only_llm_pool",
    "only_retrieval_pool",
    "only_cache_off",
    "only_clean_up",
    "all_but_llm_pool",
    "all_but_retrieval_pool",
    "all_but_cache_off",
    "all_but_clean_up",
    "everything",
)

ablation = declared(
    "ablation",
    {name: Target(call=f"{HOME}:{name}", setup=f"{SETUPS}:one_reader") for name in DESIGNS},
    "One node a call as an execution: LLM pool, retrieval pool, cache off and clean-up, "
    "each alone, all but one, none and all.",
    must_not_grow=("everything",),
    expensive=DESIGNS[:-1],
    calls=25,
    verdict_calls=FOR_10_MS,
    explain=False,  # executions and vectordb_node are, which hold the same
)

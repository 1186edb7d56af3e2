"""The cache of search results, for queries that never repeat and queries that do."""

from bench.declaring import three_designs

search_cache_unique = three_designs(
    "search_cache_unique",
    "A cache in front of the search, asked for a query that never came before.",
    setup="caching_pools",
)
search_cache_repeating = three_designs(
    "search_cache_repeating",
    "A cache in front of the search, asked for one of eight queries in turn.",
    setup="caching_pools",
)

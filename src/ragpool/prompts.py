"""All that a search tells a language model besides the query and the documents."""

JUDGE = (
    "You judge search results. Name the ids of the documents that help to answer the "
    "query, say whether they suffice, and if not give a query that finds what they lack."
)
REFINE = "You improve search queries. Give one query that finds what the documents lack."
ANSWER = "Answer the query from the documents alone. Say so when they do not answer it."

FORMS = {
    "RelevanceJudgement": (
        "Say which documents help to answer the query, whether they suffice, and what to ask "
        "next.\n\n`better_query` finds what the documents lack; empty where they suffice."
    ),
    "RefinedQuery": "Give a better query, for what the documents so far leave open.",
}
"""What each form is for, by its name: the description of the tool that the model is to call."""

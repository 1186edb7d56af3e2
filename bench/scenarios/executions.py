"""Executions that finish, fail, are cancelled or never end, in turn."""

from bench.declaring import three_designs

executions = three_designs(
    "executions",
    "One execution a call; a fourth of them never ends. Naive never removes any, published and "
    "pooled clean up after five minutes (a call is one, or five), cleaned after every tenth.",
    setup="platform",
    at_most={"connections_opened": 0.1, "cpu_ns": 0.5},
    explain=False,  # batch is, which keeps the same; three looks at 200 MB take a minute of CPU
    extra={"cleaned": "bench.designs.published.calls:executions_cleaned"},
)

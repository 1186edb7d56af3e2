"""The batch of the article: test cases through the manager, alone and ten at a time."""

from bench.declaring import FOR_10_MS, three_designs

batch = three_designs(
    "batch",
    "One test case a call through the manager, one after another.",
    setup="platform",
    verdict_calls=FOR_10_MS,
    expensive=("naive", "published"),
    # a fiftieth of the connections; half of the CPU: 0.25 when quiet, more under load
    at_most={"connections_opened": 0.02, "cpu_ns": 0.5},
)
batch_threads = three_designs(
    "batch_threads",
    "Ten test cases a call, on ten worker threads with an event loop each.",
    setup="threaded_platform",
    calls=10,  # 100 cases
    verdict_calls=90,  # its noise of 4 KB leaves a floor of 250 B after 40 calls, of 40 B after 60
    explain=False,  # batch is, which holds the same; a call is ten times as expensive here
    expensive=("naive", "published"),
    # two connections for each of ten loops, however many cases there are
    at_most={"connections_opened": 0.2, "cpu_ns": 0.7},
)

"""Many executions with injected faults on ten threads: their ends, their memory, their latency."""

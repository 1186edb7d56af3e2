"""The caches of langchain and LiteLLM beside ragpool's pools, on the same loops and evictions."""

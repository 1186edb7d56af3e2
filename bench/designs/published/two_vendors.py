"""The calls that ask two vendors: their libraries are imported before them, and by them alone.

Importing the second takes half of a start of the others.
"""

import langchain_anthropic  # noqa: F401

from bench.designs.published.calls import llm_client_40

__all__ = ["llm_client_40"]

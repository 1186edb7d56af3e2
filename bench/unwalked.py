"""Measure what ragpool's OpenAI model saves over its parent, which lets openai walk each message.

    python -m bench.unwalked

Both ask for a judgement of five documents, in turn and in one process, so that a busy machine slows
both. Prints the CPU time of one request of each, and their ratio.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from statistics import median
from typing import Any

import langchain_openai
from langchain_core.messages import HumanMessage, SystemMessage

from bench import cases
from bench.backend import stub_backend
from ragpool import openai_chat
from ragpool.engine import RelevanceJudgement

ROUNDS, ASKS = 60, 5
DOCUMENTS = "\n\n".join(
    f"[doc:{number}]\n{'A clause of the handbook. ' * 20}" for number in "12345"
)


def main() -> int:
    """Measure, print, return 0."""
    with stub_backend() as running:
        os.environ.update(running.environment)
        walked, unwalked = asyncio.run(_measure())
    print(f"walked {walked:.2f} ms, unwalked {unwalked:.2f} ms: {unwalked / walked:.2f} x")
    return 0


async def _measure() -> tuple[float, float]:
    """Return the median CPU milliseconds of one request, of the parent and of ragpool's."""
    kinds = (langchain_openai.ChatOpenAI, openai_chat.ChatOpenAI)
    models = [
        kind(model=cases.MODELS["openai"], base_url=cases.llm_url()).bind_tools(
            [RelevanceJudgement], tool_choice="RelevanceJudgement"
        )
        for kind in kinds
    ]
    spent: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for model, taken in zip(models, spent, strict=True):
            taken.append(await _cpu_ms(model))
    walked, unwalked = (median(taken[1:]) for taken in spent)  # the first builds what stays
    return walked, unwalked


async def _cpu_ms(model: Any) -> float:
    began = time.process_time()
    for _ in range(ASKS):
        await model.ainvoke([SystemMessage("You judge search results."), HumanMessage(DOCUMENTS)])
    return (time.process_time() - began) * 1000 / ASKS


if __name__ == "__main__":
    sys.exit(main())

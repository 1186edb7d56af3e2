"""One step of the work, seen from outside: a span while it runs, a log line at its end.

The steps are `execution`, `retrieval` and `model call`. Who asks for neither pays for a clock and
two questions.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from ragpool import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

FACTS = "ragpool"
"""Under this name a log record carries what is known of its step."""
_LONGEST_PROBLEM = 500


@contextlib.contextmanager
def step(name: str, /, span: str, *, parent: Any = None, **facts: Any) -> Iterator[dict[str, Any]]:
    """Observe the block; it may add to the facts that it is given. Errors go on as they are."""
    began_s = time.perf_counter()
    told = {}
    try:
        with tracing.span(span, facts, parent):
            try:
                yield facts
            except BaseException as error:
                facts["error"] = type(error).__name__
                told["problem"] = str(error)[:_LONGEST_PROBLEM]
                raise
    finally:
        if logger.isEnabledFor(logging.INFO):
            took_s = round(time.perf_counter() - began_s, 6)
            end = "failed" if told else "ended"
            known = {"step": name, "duration_s": took_s, **facts, **told}
            logger.info("%s %s", name, end, extra={FACTS: known})

"""The pass that tells where what is live after a stretch of calls was allocated."""

from __future__ import annotations

from typing import Optional, Union

from . import allocations, lines
from .explaining_pass import ExplainingPass, Fact
from .loop import drive


class AllocationsPass(ExplainingPass):
    """One stretch of calls under a tracer."""

    _tracer: Union[allocations.MemrayTracer, allocations.TracemallocTracer, lines.LineCounter]

    def stage_start(self, tracer: str, native: bool, folder: Optional[str] = None) -> Fact:
        """Start the tracer; nothing is sampled from here on."""
        self._settle()
        if tracer.startswith("lines"):
            python = self._counters.python.read if tracer == "lines" else _nothing
            self._tracer = lines.LineCounter(python, self._counters.malloc.read)
        else:
            self._tracer = allocations.make_tracer(tracer, native, folder)
        self._from = self._loop.calls
        self._loop.sampling = False
        self._tracer.start()
        return {"tracer": self._tracer.name}

    def stage_stop(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Fact:
        """Stop the tracer and read what it found; what settling frees falls out."""
        if not self._tracer.settles:
            self._tracer.stop()
        drive(self._settler.patient(), self._runner)
        if self._tracer.settles:
            self._tracer.stop()
        answer = self._tracer.read(flame_graph, keep)
        answer.update(
            tracer=self._tracer.name,
            sees_malloc=self._tracer.sees_malloc,
            calls=self._loop.calls - self._from,
        )
        return answer


def _nothing() -> int:
    return 0

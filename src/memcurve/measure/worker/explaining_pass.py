"""A pass that explains: it settles, answers surveys between its calls, and says its cost."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict

from .loop import drive
from .passes import Runner, SampledPass, Spec
from .target import Arguments

Fact = Dict[str, Any]


class ExplainingPass(SampledPass):
    """A settled pass of its own for what explains; its rows are no evidence."""

    def __init__(
        self,
        spec: Spec,
        function: Callable[..., Any],
        arguments: Arguments,
        runner: Runner,
        named: Dict[int, str],
    ) -> None:
        self._cpu_before_s = time.process_time()
        super().__init__(spec, function, arguments, runner, named)
        read = self._counters.python.read

        def read_or_nothing() -> int:
            try:
                return read() or 0
            except ValueError:  # a tracer took pymalloc's place, which then says nothing of itself
                return 0

        self._counters.python.read = read_or_nothing

    def survey(self, stage: str, options: Dict[str, Any]) -> Fact:
        """Answer one survey, with the CPU seconds and the calls of this pass up to its end."""
        found: Fact = super().survey(stage, options)
        cpu_s = time.process_time() - self._cpu_before_s
        found.update(pass_cpu_s=cpu_s, pass_calls=self._loop.calls)
        return found

    def _settle(self) -> None:
        return drive(self._loop.rest(), self._runner)

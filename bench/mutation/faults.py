"""The faults: a change of one place in ragpool, and what the gate must say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SEARCH = '        body = {"collection": collection, "query": query, "top_k": top_k}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    `new` replaces `old` in `file`, `module` is put behind its imports, `also` is one more
    replacement. `seen_in` is the design that
    must turn red, `counters` are those of which at least one must be named, and `culprit` is what
    must stand in the first culprits (empty for a fault that keeps nothing).
    """

    name: str
    file: str
    old: str
    new: str
    seen_in: str
    counters: tuple[str, ...]
    culprit: str = ""
    module: str = ""
    also: tuple[str, str] | None = None

    def apply(self, ragpool: Path) -> None:
        """Put the fault into a copy of ragpool; raises LookupError when its place is gone."""
        path = ragpool / self.file
        text = path.read_text()
        for old, new in ((self.old, self.new), *([self.also] if self.also else [])):
            if old not in text:
                raise LookupError(f"fault {self.name!r}: {self.file} has changed; write it anew")
            text = text.replace(old, new, 1)
        if self.module:
            mark = "\nif TYPE_CHECKING:\n"
            assert mark in text
            text = text.replace(mark, f"\n{self.module}\n{mark}", 1)
        path.write_text(text)


def in_search(
    name: str, line: str, counters: tuple[str, ...], *, culprit: str = "", module: str = ""
) -> Fault:
    """Return a fault that every search of the retrieval client commits."""
    return Fault(
        name=name,
        file="retrieval.py",
        old=SEARCH,
        new=f"{SEARCH}        {line}\n",
        seen_in="rag_client/pooled",
        counters=counters,
        culprit=culprit,
        module=module,
    )


GET_CLIENT = "        return self._pool.acquire(_resolve(base_url), self._build(base_url))\n"
MEMORY = ("live_bytes",)

FAULTS = (
    Fault(
        name="a client per call, kept",
        file="retrieval.py",
        old=GET_CLIENT,
        new="        _KEPT.append(RAGServiceClient(base_url, **self._options))\n"
        "        return _KEPT[-1]\n",
        module="_KEPT = []",
        seen_in="rag_client/pooled",
        counters=("live_bytes", "fds", "connections_opened"),
        culprit="_KEPT",
    ),
    Fault(
        name="a client per call, dropped",
        file="retrieval.py",
        old=GET_CLIENT,
        new="        return RAGServiceClient(base_url, **self._options)\n",
        seen_in="rag_client/pooled",
        counters=("connections_opened", "deferred_bytes"),
    ),
    Fault(
        name="the pool forgets its loops",
        file="pool.py",
        old="        loop = _running_loop()\n",
        new="        loop = None\n",
        seen_in="rag_client/pooled",
        counters=("connections_opened", "deferred_bytes"),
    ),
    Fault(
        name="a model per call, never evicted",
        file="llm.py",
        old="            environment=tuple(\n",
        new='            environment=(("call", next(_CALLS)),)\n            + tuple(\n',
        module="import itertools\n_CALLS = itertools.count()",
        also=("max_clients=max_models)", "max_clients=1 << 30)"),
        seen_in="llm_client/pooled",
        counters=("live_bytes", "connections_opened"),
        culprit="clients",
    ),
    Fault(
        name="close forgotten at an eviction",
        file="transports.py",
        old="        self.sync.close()\n        await _close(self.client)\n",
        new="        _OPEN.append(self)\n",
        module="_OPEN = []",
        seen_in="llm_client_40/pooled",
        counters=("live_bytes", "fds"),
        culprit="_OPEN",
    ),
    Fault(
        name="history without a bound",
        file="manager.py",
        old="            while len(self._history) > self._max_history:\n",
        new="            while len(self._history) > 1 << 40:\n",
        seen_in="batch/pooled",
        counters=MEMORY,
        culprit="active_executions",
    ),
    Fault(
        name="timestamps never removed",
        file="manager.py",
        old="            if self._execution_timestamps.pop(execution_id, None) is None:\n",
        new="            _TIMES[execution_id] = self._execution_timestamps[execution_id]\n"
        "            if self._execution_timestamps.pop(execution_id, None) is None:\n",
        module="_TIMES = {}",
        seen_in="executions/pooled",
        counters=MEMORY,
        culprit="_TIMES",
    ),
    Fault(
        name="traceback kept",
        file="executions.py",
        old="            self._error = ErrorRecord(\n",
        new="            _ERRORS.append(error)\n            self._error = ErrorRecord(\n",
        module="_ERRORS = []",
        seen_in="executions/pooled",
        counters=MEMORY,
        culprit="_ERRORS",
    ),
    Fault(
        name="listener not removed",
        file="executions.py",
        old="        self._task = self._work = None\n",
        new="        _LISTENERS.append(self.record)\n        self._task = self._work = None\n",
        module="_LISTENERS = []",
        seen_in="executions/pooled",
        counters=MEMORY,
        culprit="_LISTENERS",
    ),
    Fault(
        name="cache without eviction",
        file="cache.py",
        old="            maxsize=max_bytes * max_entries,\n",
        new="            maxsize=1 << 62,\n",
        seen_in="search_cache_unique/pooled",
        counters=MEMORY,
        culprit="cache",
    ),
    Fault(
        name="queries remembered by the engine",
        file="engine.py",
        old="        progress = _Progress(query)\n",
        new="        _SEEN.add(query)\n        progress = _Progress(query)\n",
        module="_SEEN = set()",
        seen_in="vectordb_node/pooled",
        counters=MEMORY,
        culprit="_SEEN",
    ),
    in_search(
        "descriptor leaked",
        "os.open(os.devnull, os.O_RDONLY)",
        ("fds",),
    ),
    in_search(
        "task never awaited",
        "_TASKS.append(asyncio.ensure_future(asyncio.Event().wait()))",
        ("tasks", "live_bytes"),
        culprit="_TASKS",
        module="_TASKS = []",
    ),
    in_search(
        "thread never joined",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        ("threads", "live_bytes"),
        module="import threading",
    ),
    in_search(
        "200 B a call",
        "_SMALL.append(bytes(160))",
        MEMORY,
        culprit="_SMALL",
        module="_SMALL = []",
    ),
    Fault(
        # in the quietest design: a noisier one would need more calls to show 10 B a call
        name="1 KB per 100 calls",
        file="cache.py",
        old="        if not self.enabled:\n            return None\n",
        new="        if not self.enabled:\n            return None\n"
        "        if next(_COUNT) % 100 == 99:\n            _RARE.append(bytes(1000))\n",
        module="import itertools\n_COUNT = itertools.count()\n_RARE = []",
        seen_in="search_cache_repeating/pooled",
        counters=MEMORY,
        culprit="_RARE",
    ),
    in_search(
        "a large cycle per call",
        "cycle = [bytearray(60_000)]; cycle.append(cycle)",
        ("deferred_bytes",),
    ),
)

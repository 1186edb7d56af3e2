"""The faults: a change of one place in ragpool each, and what the gate must say about it."""

from __future__ import annotations

from bench.proof.mutation.fault import THE_CALL, Edit, Fault, Place

BATCH, THREADS = "batch/pooled", "batch_threads/pooled"
EXECUTIONS, ERRORS = "executions/pooled", "faults/pooled"
EVICTING = "llm_client_40/evicting"
NODE, RAG, SERVICE = "vectordb_node/pooled", "rag_client/pooled", "fastapi_execute/pooled"
REPEATING, UNIQUE = "search_cache_repeating/pooled", "search_cache_unique/pooled"

MEMORY, DESCRIPTORS = ("live_bytes",), ("fds",)
CLIENTS = ("connections_opened", "deferred_bytes")

CACHE_GET = Place("cache.py", "        if not self.enabled:\n            return None")
GET_CLIENT = Place(
    "retrieval.py",
    "        return self._pool.acquire(self._recipe(_resolve(base_url)))",
)
REQUEST = Place("transports.py", "        mark = object()")
SEARCH = Place(
    "retrieval.py",
    '        body = {"collection": collection, "query": query, "top_k": top_k}',
)
SET_END = Place(
    "executions.py", "        self._task = self._work = None\n        return self._record()"
)


def kept(
    name: str,
    place: Place,
    what: str,
    seen_in: str,
    *,
    counters: tuple[str, ...] = MEMORY,
    culprit: str = "_KEPT",
    imports: str = "",
) -> Fault:
    """Return a fault that appends `what` to a list of its module whenever it comes by."""
    return Fault(
        name=name,
        edits=(place.first(f"_KEPT.append({what})"),),
        module=f"{imports}\n_KEPT = []".strip(),
        seen_in=seen_in,
        counters=counters,
        culprit=culprit,
    )


CLIENT_FAULTS = (
    Fault(
        name="a client per call, kept",
        edits=(
            GET_CLIENT.becomes(
                "        _KEPT.append(RAGServiceClient(base_url, **self._options))\n"
                "        return _KEPT[-1]"
            ),
        ),
        module="_KEPT = []",
        seen_in=RAG,
        counters=("live_bytes", "fds", "connections_opened"),
        culprit="_KEPT",
    ),
    Fault(
        name="a client per call, dropped",
        edits=(GET_CLIENT.becomes("        return RAGServiceClient(base_url, **self._options)"),),
        seen_in=RAG,
        counters=CLIENTS,
        culprit="_SelectorSocketTransport",
    ),
    Fault(
        name="a one-shot client inside a loop",
        edits=(Edit("pool.py", "        loop = _running_loop()\n", "        loop = None\n"),),
        seen_in=RAG,
        counters=CLIENTS,
        culprit="_SelectorSocketTransport",
    ),
    Fault(
        name="one loop's clients for every loop",
        edits=(
            Place("pool.py", "        loop = _running_loop()").then(
                'loop = loop and _FIRST.setdefault("loop", loop)'
            ),
        ),
        module="_FIRST: dict = {}",
        seen_in=THREADS,
        counters=(THE_CALL, "failures"),
        culprit="loop",
    ),
    Fault(
        name="a new place for clients per call",
        edits=(Edit("pool.py", "if clients is None or clients.ended:", "if True:"),),
        seen_in=RAG,
        counters=("live_bytes", "fds", "connections_opened"),
        culprit="loop_clients.py",
    ),
    Fault(
        name="a model per call, never evicted",
        edits=(
            Edit(
                "llm.py",
                "options=tuple((name",
                'options=(("", _Secret(b"%d" % next(_CALLS))),) + tuple((name',
            ),
            Edit("llm.py", "max_clients=max_models)", "max_clients=1 << 30)"),
        ),
        module="import itertools\nfrom ragpool.llm_spec import _Secret\n_CALLS = itertools.count()",
        seen_in="llm_client/pooled",
        counters=("live_bytes", "connections_opened"),
        culprit="clients",
    ),
    Fault(
        name="secrets that never compare equal",
        edits=(Edit("llm_spec.py", "key=_DIGEST_KEY", "key=secrets.token_bytes(32)"),),
        seen_in=NODE,
        counters=(*CLIENTS, "live_bytes"),
        culprit="LLMHttp",
    ),
    Fault(
        name="a key without the temperature",
        edits=(
            Edit(
                "llm.py",
                "            temperature=temperature,\n            options=",
                "            temperature=None,\n            options=",
            ),
        ),
        seen_in=EVICTING,
        counters=(THE_CALL,),
        culprit="temperature",
    ),
    Fault(
        name="close forgotten at an eviction",
        edits=(
            Edit(
                "transports.py",
                "        self.sync.close()\n        await _close(self.client)\n",
                "        _OPEN.append(self)\n",
            ),
        ),
        module="_OPEN = []",
        seen_in=EVICTING,
        counters=("live_bytes", "fds"),
        culprit="_OPEN",
    ),
    Fault(
        name="what is closed stays listed as open",
        edits=(Place("loop_clients.py", "        self.open.discard(resource)").becomes(""),),
        seen_in=EVICTING,
        counters=MEMORY,
        culprit="open",
    ),
    Fault(
        name="closing tasks are never struck off",
        edits=(
            Place(
                "loop_clients.py", "            task.add_done_callback(self._closing.discard)"
            ).becomes(""),
        ),
        seen_in=EVICTING,
        counters=MEMORY,
        culprit="_closing",
    ),
    Fault(
        name="a default that is made again at every use",
        edits=(
            Edit(
                "process_default.py",
                "                cls._instance = cls()\n",
                "                return cls()\n",
            ),
        ),
        seen_in=NODE,
        counters=("live_bytes", "fds", *CLIENTS),
        culprit="loop_clients.py",
    ),
)

REQUEST_FAULTS = (
    Fault(
        name="descriptor leaked",
        edits=(SEARCH.then("os.open(os.devnull, os.O_RDONLY)"),),
        seen_in=RAG,
        counters=DESCRIPTORS,
        culprit="open descriptor",
    ),
    kept(
        "task never awaited",
        SEARCH,
        "asyncio.ensure_future(asyncio.Event().wait())",
        RAG,
        counters=("tasks", "live_bytes"),
    ),
    Fault(
        name="thread never joined",
        edits=(
            SEARCH.then("threading.Thread(target=threading.Event().wait, daemon=True).start()"),
        ),
        module="import threading",
        seen_in=RAG,
        counters=("threads", "live_bytes"),
        culprit="Thread",
    ),
    kept("200 B a call", SEARCH, "bytes(160)", RAG),
    kept("40 B a call", SEARCH, "float(top_k)", RAG),
    Fault(
        name="malloc without free",
        edits=(SEARCH.then("_LIBC.malloc(512)"),),
        module="import ctypes\n_LIBC = ctypes.CDLL(None)",
        seen_in=RAG,
        counters=MEMORY,
        culprit="retrieval.py",
    ),
    Fault(
        name="finalizer on a client that stays",
        edits=(SEARCH.then("weakref.finalize(self, print, query)"),),
        module="import weakref",
        seen_in=RAG,
        counters=MEMORY,
        culprit="finalize",
    ),
    Fault(
        name="log handler per call",
        edits=(SEARCH.then("logger.addHandler(logging.NullHandler())"),),
        seen_in=RAG,
        counters=MEMORY,
        culprit="handlers",
    ),
    Fault(
        name="callback on a future that never ends",
        edits=(SEARCH.then("_NEVER.add_done_callback(functools.partial(print, query))"),),
        module="import functools\nfrom concurrent.futures import Future\n_NEVER = Future()",
        seen_in=RAG,
        counters=MEMORY,
        culprit="_NEVER",
    ),
    Fault(
        name="hook added for every request",
        edits=(
            REQUEST.then(
                "\nasync def note(response: Any) -> None:\n"
                '    response.extensions["mark"] = mark\n\n'
                'self.client.event_hooks["response"].append(note)'
            ),
        ),
        seen_in=RAG,
        counters=MEMORY,
        culprit="hooks",
    ),
    Fault(
        name="a large cycle per call",
        edits=(SEARCH.then("cycle = [bytearray(60_000)]; cycle.append(cycle)"),),
        seen_in=RAG,
        counters=("deferred_bytes",),
        culprit="garbage: list[*] → list",
    ),
    Fault(
        name="error responses never closed",
        edits=(
            Edit(
                "transports.py",
                "return await self.client.request("
                'method, url, extensions={"ragpool": mark}, **options)',
                'options["extensions"] = {"ragpool": mark}\n'
                "            request = self.client.build_request(method, url, **options)\n"
                "            response = await self.client.send(request, stream=True)\n"
                "            if response.is_success:\n"
                "                await response.aread()\n"
                "            return response",
            ),
        ),
        seen_in=ERRORS,
        counters=("fds", "live_bytes"),
        culprit="httpcore",
    ),
    kept(
        "every error remembered",
        Place("errors.py", "        self.url = shown_url(url)"),
        "self",
        ERRORS,
    ),
    Fault(
        name="cache without eviction",
        edits=(Edit("cache.py", "maxsize=max_bytes * max_entries,", "maxsize=1 << 62,"),),
        seen_in=UNIQUE,
        counters=MEMORY,
        culprit="cache",
    ),
    Fault(
        # in the quietest design: a noisier one would need more calls to show 10 B a call
        name="1 KB per 100 calls",
        edits=(CACHE_GET.then("if next(_COUNT) % 100 == 99:\n    _RARE.append(bytes(1000))"),),
        module="import itertools\n_COUNT = itertools.count()\n_RARE = []",
        seen_in=REPEATING,
        counters=MEMORY,
        culprit="_RARE",
    ),
)

EXECUTION_FAULTS = (
    Fault(
        name="history without a bound",
        edits=(Edit("execution_store.py", "len(self._history) > self._max_history", "False"),),
        seen_in=BATCH,
        counters=MEMORY,
        culprit="active_executions",
    ),
    Fault(
        name="timestamps never removed",
        edits=(
            Edit(
                "execution_store.py",
                "        self._timestamps.pop(execution_id, None)\n",
                "        _TIMES[execution_id] = float(len(_TIMES))\n"
                "        self._timestamps.pop(execution_id, None)\n",
            ),
        ),
        module="_TIMES = {}",
        seen_in=EXECUTIONS,
        counters=MEMORY,
        culprit="_TIMES",
    ),
    Fault(
        name="clean-up never due",
        edits=(Edit("manager.py", ">= self.CLEANUP_INTERVAL", ">= 1 << 60"),),
        seen_in=EXECUTIONS,
        counters=("tasks", "live_bytes"),
        culprit="active_executions",
    ),
    kept(
        "traceback kept",
        Place("executions.py", "        if error is not None and self._work is not None:"),
        "error",
        EXECUTIONS,
    ),
    kept("listener not removed", SET_END, "self.record", EXECUTIONS),
    # 40 B a call, below a sawtooth of 12 KB
    kept(
        "the time of every execution",
        SET_END,
        "time.perf_counter()",
        EXECUTIONS,
        imports="import time",
    ),
    kept(
        "workflows remembered",
        Place("workflow.py", "        known = {INPUT}"),
        "self",
        BATCH,
    ),
    Fault(
        name="a timer for every job",
        edits=(
            Place("loop_threads.py", "            self._awake.clear()").then("self._tick_later()"),
        ),
        seen_in=SERVICE,
        counters=MEMORY,
        culprit="Timer",
    ),
    kept(
        "configurations remembered",
        Place("config.py", "            super().__init__(**values)"),
        "self",
        NODE,
    ),
    kept(
        "searches remembered by the engine",
        Place("engine.py", "        while True:"),
        "progress",
        NODE,
    ),
    kept("40 B a question", Place("engine.py", "        while True:"), "float(id(progress))", NODE),
    Fault(
        name="a form per question",
        edits=(
            Place(
                "engine.py",
                "        model = self._llm.bind_tools([_tool(form)], tool_choice=form.__name__)",
            ).first("form = type(form.__name__, (form,), {})"),
        ),
        seen_in=NODE,
        counters=MEMORY,
        culprit="_tool",
    ),
)

SERVICE_FAULTS = (
    Fault(
        name="a database engine per transaction",
        edits=(
            Edit(
                "database.py",
                "        self._engine = _engine(url, max_connections)\n",
                "        self._engine = _engine(url, max_connections)\n        self._url = url\n",
            ),
            Edit(
                "database.py",
                "            await self._create_table()\n",
                "            await self._create_table()\n"
                "            _KEPT.append(self._engine)\n"
                "            self._engine = _engine(self._url, MAX_CONNECTIONS)\n",
            ),
        ),
        module="_KEPT = []",
        seen_in=SERVICE,
        counters=("threads", "fds", "live_bytes"),
        culprit="_KEPT",
    ),
    kept(
        "a runtime per request",
        Place("dependencies.py", "    return runtime_of(request.app)"),
        "Runtime(settings_of(request.app), _database_of(request.app))",
        SERVICE,
        counters=("tasks", "live_bytes"),
    ),
    kept(
        "batches remembered by the recorder",
        Place("recorder.py", "                await self._save(batch)"),
        "batch",
        SERVICE,
    ),
    kept(
        "requests remembered by the service",
        Place("api.py", "    channel = Channel() if streaming else None"),
        "workflow",
        SERVICE,
    ),
    kept(
        "bodies kept",
        Place("body_limit.py", '            received += len(message.get("body", b""))'),
        "message",
        SERVICE,
    ),
    kept(
        "records remembered by the database",
        Place("database.py", '    return {\n        "execution_id": record.execution_id,'),
        "record",
        SERVICE,
    ),
)

FAULTS = (*CLIENT_FAULTS, *REQUEST_FAULTS, *EXECUTION_FAULTS, *SERVICE_FAULTS)

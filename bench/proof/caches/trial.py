"""One design and one test, in whichever environment has it: prints a line of JSON.

    python trial.py DESIGN TEST OPENAI-URL

Nothing of this repository is imported but ragpool, by the design of that name.
"""

import asyncio
import gc
import json
import os
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

MODEL, TEXT = "gpt-4o-mini", "x" * 1000
THREADS, RUNS, CALLS = 10, 5, 2
TURNS = 20
TENANTS = 160  # more than each holds: langchain-openai 128, ragpool 32
ENTRIES = 3000
SLOWLY = {"x-stub-fault": "stream_delay=0.2"}


class Ragpool:
    """Take a model from the pool for each call, as its documentation says."""

    def __init__(self, url):
        import ragpool

        self.url, self.pool = url, ragpool.LLMPool()
        self.cache = ragpool.SearchCache(enabled=True)

    def model(self, number, **options):
        url, key = _tenant(self.url, number)
        return self.pool.get_llm("openai", MODEL, url, api_key=key, max_retries=0, **options)

    async def ask(self, number):
        return (await self.model(number).ainvoke("hello")).text

    async def stream(self, number):
        async for chunk in self.model(number, default_headers=SLOWLY).astream("hello"):
            yield chunk.text

    def put(self, number):
        self.cache.set("collection", f"query {number}", TEXT + str(number))

    def held(self):
        return self.cache.stats().entries


class Langchain:
    """Build a model for each call: its HTTP clients are what langchain-openai caches."""

    def __init__(self, url):
        from langchain_core.caches import InMemoryCache
        from langchain_core.globals import set_llm_cache

        self.url, self.cache = url, InMemoryCache()
        set_llm_cache(self.cache)

    def model(self, number, **options):
        from langchain_openai import ChatOpenAI

        url, key = _tenant(self.url, number)
        # the questions are to be asked: `put` is the test of the cache
        options = {"cache": False, **options}
        return ChatOpenAI(model=MODEL, base_url=url, api_key=key, max_retries=0, **options)

    async def ask(self, number):
        return (await self.model(number).ainvoke("hello")).text

    async def stream(self, number):
        async for chunk in self.model(number, default_headers=SLOWLY).astream("hello"):
            yield chunk.text

    def put(self, number):
        from langchain_core.outputs import Generation

        self.cache.update(f"query {number}", MODEL, [Generation(text=TEXT + str(number))])

    def held(self):
        return len(self.cache._cache)


class Litellm:
    """Ask with `acompletion`, whose clients LiteLLM keeps in a cache of its own."""

    def __init__(self, url):
        import litellm
        from litellm.caching.in_memory_cache import InMemoryCache

        litellm.suppress_debug_info = True
        self.url, self.litellm, self.cache = url, litellm, InMemoryCache()

    async def asked(self, number, **options):
        # its clients differ by the key; openai of its version takes no address with a user
        _, key = _tenant(self.url, number)
        return await self.litellm.acompletion(
            model=f"openai/{MODEL}",
            api_base=self.url,
            api_key=key,
            messages=[{"role": "user", "content": "hello"}],
            max_retries=0,
            **options,
        )

    async def ask(self, number):
        return (await self.asked(number)).choices[0].message.content

    async def stream(self, number):
        async for chunk in await self.asked(number, stream=True, extra_headers=SLOWLY):
            yield chunk.choices[0].delta.content or ""

    def put(self, number):
        self.cache.set_cache(f"query {number}", TEXT + str(number))

    def held(self):
        return len(self.cache.cache_dict)


def _tenant(url, number):
    scheme, _, rest = url.partition("://")
    return f"{scheme}://tenant{number:04d}@{rest}", f"key-{number:04d}"


def loops(design):
    """Run a loop for each few calls, on ten threads at once, as batch jobs do."""
    failed, lock = [], threading.Lock()

    async def few():
        for _ in range(CALLS):
            await _counted(design.ask(0), failed, lock)

    def thread(_):
        for _ in range(RUNS):
            asyncio.run(few())

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(thread, range(THREADS)))
    gc.collect()
    return {"calls": THREADS * RUNS * CALLS, "failed": len(failed), "why": _most(failed)} | _left()


def alternation(design):
    """Ask on two loops that live, in turn."""
    failed, lock = [], threading.Lock()
    alive = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(TURNS):
        for loop in alive:
            loop.run_until_complete(_counted(design.ask(0), failed, lock))
    return {"calls": 2 * TURNS, "failed": len(failed), "why": _most(failed)}


def evictions(design):
    """Ask for many tenants in turn while a stream of another one is read."""
    return asyncio.run(_evictions(design))


async def _evictions(design):
    failed, lock, kept = [], threading.Lock(), []
    whole = "".join([piece async for piece in design.stream(TENANTS)])
    stream = design.stream(TENANTS)
    read = [await anext(stream)]
    for number in range(TENANTS):
        await _counted(design.ask(number), failed, lock)
        if number == TENANTS // 3:
            tracemalloc.start()
        elif number in (TENANTS // 2, TENANTS - 1):
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    try:
        read += [piece async for piece in stream]
        cut = "" if "".join(read) == whole else "it ended early"
    except Exception as error:
        cut = f"{type(error).__name__}: {error}"[:300]
    gc.collect()
    kept_bytes = (kept[1] - kept[0]) / (TENANTS - 1 - TENANTS // 2)
    found = {"calls": TENANTS, "failed": len(failed), "why": _most(failed), "cut": cut}
    return found | {"kept_bytes": kept_bytes} | _left()


def entries(design):
    """Put 3,000 answers of 1 KB that nobody asks for again into the cache."""
    gc.collect()
    tracemalloc.start()
    for number in range(ENTRIES):
        design.put(number)
    gc.collect()
    return {"held": design.held(), "kept_bytes": tracemalloc.get_traced_memory()[0]}


async def _counted(asking, failed, lock):
    try:
        if not await asking:
            raise ValueError("an empty answer")
    except Exception as error:
        with lock:
            failed.append(f"{type(error).__name__}: {error}"[:300])


def _most(failed):
    return max(set(failed), key=failed.count) if failed else ""


def _left():
    """Count the sockets of connections that are open, apart from pairs that loops wake up with."""
    with open("/proc/net/tcp") as file:  # noqa: PTH123
        inodes = {line.split()[9] for line in list(file)[1:] if line.split()[3] in ("01", "08")}
    own = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            own.add(os.readlink(f"/proc/self/fd/{name}")[8:-1])  # noqa: PTH115
        except OSError:
            continue
    return {"sockets": len(own & inodes)}


DESIGNS = {"ragpool": Ragpool, "langchain": Langchain, "litellm": Litellm}
TESTS = {
    "loops": loops,
    "alternation": alternation,
    "evictions": evictions,
    "entries": entries,
}

if __name__ == "__main__":
    name, test, url = sys.argv[1:]
    answer = TESTS[test](DESIGNS[name](url))
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # clients of closed loops complain at the end

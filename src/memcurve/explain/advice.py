"""Sentences of advice for the leaks that everybody writes once."""

import msgspec

from memcurve.model.findings import OUTSIDE
from memcurve.model.surveys import PathStep


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What advice goes by: the culprit's type, what it weighs most in, root, traits and bound."""

    type: str
    heavy: str = ""
    root: str = ""
    path: tuple[PathStep, ...] = ()
    traits: tuple[str, ...] = ()
    bound: str = ""
    native: bool = False


_CLIENTS = ("client", "session", "connectionpool", "engine", "sslcontext", "openai", "anthropic")
_LIBRARIES = (
    "httpx",
    "httpx2",
    "aiohttp",
    "requests",
    "openai",
    "anthropic",
    "sqlalchemy",
    "redis",
)


def advise(signs: Signs) -> str:
    """Return one sentence for the first pattern that fits, "" if none does."""
    return next((text for fits, text in _PATTERNS if fits(signs)), "")


def _is_client(signs: Signs) -> bool:
    if not signs.heavy and signs.type.partition(".")[0] not in _LIBRARIES:
        return False
    names = (signs.type.lower(), signs.heavy.lower())
    return any(name.endswith(_CLIENTS) for name in names)


def _on_method(signs: Signs) -> bool:
    return signs.root == "lru_cache" and "method" in signs.traits


def _in_finalize(signs: Signs) -> bool:
    return "atexit" in signs.root or any("finalize" in step.text for step in signs.path[:2])


def _listener(signs: Signs) -> bool:
    words = ("handler", "listener", "callback", "observer", "hook", "subscriber")
    inner = " ".join(step.text for step in signs.path).lower()
    return "callback" in signs.traits or any(word in inner for word in words)


def _registry(signs: Signs) -> bool:
    return bool(signs.path) and signs.path[-1].label in ("[*]", "{*}")


_PATTERNS = (
    (
        lambda s: "traceback" in s.traits or "traceback" in s.root,
        (
            "a kept exception keeps its traceback, and that every local variable of its frames: "
            "keep str(error), or drop it with error.with_traceback(None)"
        ),
    ),
    (
        _on_method,
        (
            "lru_cache on a method keeps every instance that it was called on: cache on the "
            "instance (functools.cached_property), or move the function out of the class"
        ),
    ),
    (
        lambda s: s.root == "lru_cache" and not s.bound,
        "lru_cache(maxsize=None) never forgets: give it a maxsize",
    ),
    (
        _is_client,
        (
            "a client is built at each call and kept: share one for each event loop, or close it "
            "(await client.aclose()) and drop the reference to what holds it"
        ),
    ),
    (
        lambda s: s.type.startswith(("_asyncio.Task", "asyncio.tasks.Task")) or "task" in s.traits,
        (
            "tasks or futures are kept after they are done: await them, and discard each in a done "
            "callback (task.add_done_callback(tasks.discard))"
        ),
    ),
    (
        lambda s: "coroutine" in s.traits,
        "coroutines are created and never awaited, or wait forever: await or close() them",
    ),
    (
        lambda s: s.root == "running thread" or s.type == "threading.Thread",
        "threads are started and do not end: join them, or use one executor for all calls",
    ),
    (_in_finalize, "what is registered to run at exit stays until then: unregister it when done"),
    (
        lambda s: s.root == "logging" or "logging" in s.type.lower(),
        "a handler or logger is added at each call: add it once, or remove it (removeHandler)",
    ),
    (_listener, "a listener is added at each call and never removed: remove it when its work ends"),
    (
        lambda s: s.root == OUTSIDE and s.native,
        (
            "memory that a library allocates and does not free: look for its close(), or for a "
            "newer release of the package"
        ),
    ),
    (
        lambda s: s.root == OUTSIDE,
        (
            "no Python object refers to it: most often a missing decrement of a reference count in "
            "an extension; look for a newer release of the package"
        ),
    ),
    (
        _registry,
        "a container gains an entry at each call: remove the entry when its work ends, or bound it",
    ),
)

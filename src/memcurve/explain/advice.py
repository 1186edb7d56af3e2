"""What to do about a culprit: one sentence, where what was seen proves that it fits.

The worker notes what was seen as words (`measure/worker/evidence.py` lists them). A sentence comes
from the first pattern whose words are there, and no sentence from none.
"""

from collections.abc import Callable

import msgspec

from memcurve.explain.advice_of_libraries import of_library
from memcurve.explain.signs import Signs
from memcurve.model.findings import OUTSIDE

_Pattern = Callable[[Signs], str]


class _Said(msgspec.Struct, frozen=True):
    """A sentence for what has one of these words."""

    words: tuple[str, ...]
    text: str

    def __call__(self, signs: Signs) -> str:
        return self.text if any(signs.has(word) for word in self.words) else ""


def advise(signs: Signs) -> str:
    """Return one sentence for the first pattern that fits, "" if none does."""
    return next((text for pattern in _PATTERNS if (text := pattern(signs))), "")


def _traceback(signs: Signs) -> str:
    if not signs.has("traceback") and "traceback" not in signs.root:
        return ""
    return (
        "a kept exception keeps its traceback, and that every local variable of its frames: "
        "keep str(error), or drop it with error.with_traceback(None)"
    )


def _cache(signs: Signs) -> str:
    maxsize = signs.value("maxsize")
    if not maxsize:
        return ""
    if method := signs.value("method"):
        return (
            f"lru_cache on a method keeps every {_short(method)} that it was called on as self: "
            "cache on the instance (functools.cached_property), or move the function out of the "
            "class"
        )
    if maxsize == "None":
        return "lru_cache(maxsize=None) never forgets: give it a maxsize"
    return f"the cache may hold {maxsize} entries and is not full: give it a smaller maxsize"


def _bound(signs: Signs) -> str:
    if not signs.bound:
        return ""
    what = "it forgets only when it is full"
    return f"{what} ({signs.bound}): give it a smaller bound, or one in time"


def _log_records(signs: Signs) -> str:
    if signs.type != "logging.LogRecord":
        return ""
    until = f" until it is full ({signs.bound})" if signs.bound else ""
    return f"a handler keeps log records{until}: flush it to a target, or keep fewer"


def _base(signs: Signs) -> str:
    base = signs.value("base")
    if not base:
        return ""
    return f"a view keeps its whole base ({base}): keep a copy (bytes(view), array.copy())"


def _client(signs: Signs) -> str:
    """Advise on what a person opens and closes, by how its class is closed."""
    kind = next((one for one in (signs.type, signs.heavy) if signs.closer(one)), "")
    if not signs.is_client and not kind:
        return ""
    close = signs.closer(kind)
    how = close.replace("await ", "await client.") if "await" in close else f"client.{close}"
    if not signs.is_client:
        how = how.replace("client.", "its ")
        return f"a {_short(kind)} is opened at each call and kept: close it ({how}) and let it go"
    share = "share one for each event loop" if "await" in close else "share one"
    closing = f"close it ({how})" if close else "close it"
    return (
        f"a client is built at each call and kept: {share}, or {closing} and drop the reference "
        "to what holds it"
    )


def _task(signs: Signs) -> str:
    place = signs.value("waits")
    if signs.has("nobody"):
        return (
            f"a task waits {_at(place)}for what nothing else in the program leads to, so nobody "
            "can end its wait: cancel it, or keep what resolves it"
        )
    if place:
        return (
            f"a task waits {_at(place)}and is not resumed: cancel it when its work is no longer "
            "wanted, or wait with a limit (asyncio.timeout)"
        )
    if signs.has("done"):
        return (
            "tasks are kept after they are done: discard each in a done callback "
            "(task.add_done_callback(tasks.discard))"
        )
    return ""


def _at(place: str) -> str:
    return f"at {place} " if place else ""


def _pinned(signs: Signs) -> str:
    if signs.root != "event loop" or not any("._context" in step.label for step in signs.path):
        return ""
    return (
        "a timer keeps the context that it was set in, and that every value of its variables: "
        "cancel the timer, or set it in an empty context (context=contextvars.Context())"
    )


def _timer(signs: Signs) -> str:
    if not signs.has("timer") and not (
        signs.root == "event loop" and signs.leads_by("TimerHandle")
    ):
        return ""
    return (
        "a timer is set at each call and keeps what it will call until it is due: cancel it when "
        "its work ends, or let it come sooner"
    )


def _signal(signs: Signs) -> str:
    if signs.root != "signal handler":
        return ""
    return "each handler keeps the one that it took the place of: set it once, at the start"


def _at_exit(signs: Signs) -> str:
    if "atexit" in signs.root or signs.leads_by("weakref.finalize"):
        return "what is registered to run at exit stays until then: unregister it when done"
    return ""


def _weak_key(signs: Signs) -> str:
    if not signs.has("weak key"):
        return ""
    return (
        "a value of the WeakKeyDictionary leads to its own key, so neither goes: let the value "
        "refer to the key weakly (weakref.ref)"
    )


def _listener(signs: Signs) -> str:
    if remover := signs.value("remover"):
        return f"one more is added at each call: add it once, or take it out ({remover})"
    words = ("handler", "listener", "callback", "observer", "hook", "subscriber", "receiver")
    named = " ".join(step.text for step in signs.path).lower()
    if signs.has("callback") and any(word in named for word in words):
        return "a listener is added at each call and never removed: remove it when its work ends"
    return ""


def _callback(signs: Signs) -> str:
    if not signs.has("callback"):
        return ""
    return "a callable is kept at each call: remove it when its work ends"


def _outside(signs: Signs) -> str:
    if signs.root != OUTSIDE:
        return ""
    if signs.native:
        return (
            "memory that a library allocates and does not free: look for its close(), or for a "
            "newer release of the package"
        )
    if signs.lost:
        return (
            "nobody has its address: most often a missing decrement of a reference count in an "
            "extension; look for a newer release of the package"
        )
    return ""


def _registry(signs: Signs) -> str:
    if not signs.path or signs.path[-1].label not in ("[*]", "{*}"):
        return ""
    return (
        "a container gains an entry at each call: remove the entry when its work ends, or bound it"
    )


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]


_PATTERNS: tuple[_Pattern, ...] = (
    _traceback,
    _Said(
        ("failed",),
        "a kept future keeps the exception that it ended with, and that every local variable of "
        "its frames: take its result and let the future go",
    ),
    _cache,
    _log_records,
    _bound,
    _base,
    _task,
    of_library,
    _Said(("class",), "a class is made at each call: make it once, outside of the function"),
    _Said(("never awaited",), "coroutines are created and never awaited: await or close() them"),
    _Said(("context",), "a context is entered at each call and not left: use a with statement"),
    _Said(
        ("generator",),
        "a generator is begun at each call and neither ended nor closed: close it "
        "(generator.close(), await generator.aclose(), contextlib.closing)",
    ),
    _client,
    _Said(
        ("thread",),
        "threads are started and do not end: join them, or use one executor for all calls",
    ),
    _signal,
    _pinned,
    _timer,
    _at_exit,
    _weak_key,
    _listener,
    _callback,
    _outside,
    _registry,
)

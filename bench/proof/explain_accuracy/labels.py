"""What each labelled leak truly is, and whether an explanation says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(__file__).with_name("leaks.py")
FOLDER: Final = "bench/proof/explain_accuracy"
OUTSIDE: Final = "held outside Python"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One leak: the first culprit's type, kind of root, texts of its path, objects a call.

    `per_call` is None where no tracer counts the blocks. The site is the marked line of the source,
    `file`; with `users` it is that of the user's own code, below a library's. `share` is how much
    of the growth the first culprit has to explain, `advice` are words that it has to say.
    """

    name: str
    type: str
    root: str
    path: tuple[str, ...] = ()
    per_call: float | None = 1.0
    setup: bool = False
    file: str = "leaks.py"
    users: bool = False
    share: float = 0.0
    advice: str = ""

    @property
    def target(self) -> str:
        """The file of the leak, relative to the repository."""
        return f"{FOLDER}/{self.file}"

    @property
    def site(self) -> str:
        """``file:line`` of the mark, relative to the repository."""
        lines = SOURCE.with_name(self.file).read_text(encoding="utf-8").splitlines()
        mark = f"# site: {self.name}"
        return f"{self.target}:{next(n for n, text in enumerate(lines, 1) if text.endswith(mark))}"


def _kept(name: str, root: str, *path: str, **more: Any) -> Label:
    return Label(name=name, type="leaks.Record", root=root, path=path, **more)


LABELS: Final = (
    _kept("registry_list", "module global", "leaks.REGISTRY"),
    _kept("instance_dict", "module global", "leaks.MANAGER", ".active", "[*]"),
    _kept("class_attribute", "class attribute", "leaks.Metric.readers"),
    _kept("closure_cell", "closure cell", "_counter.<locals>.count", "closure 'seen'"),
    _kept("unbounded_lru_cache", "lru_cache", "leaks._compiled"),
    Label(
        name="lru_cache_on_a_method",
        type="leaks.Parser",
        root="lru_cache",
        path=("Parser.parse",),
    ),
    Label(name="untracked_bytes", type="bytes", root="module global", path=("leaks.CHUNKS",)),
    Label(name="text_by_number", type="str", root="module global", path=("leaks.NAMES",)),
    Label(name="dict_of_atoms", type="dict", root="module global", path=("leaks.ROWS",)),
    Label(
        name="linked_list",
        type="leaks.Node",
        root="module global",
        path=("leaks.newest", ".previous"),
    ),
    _kept("rebuilt_tuple", "module global", "leaks.HISTORY", "[*]"),
    Label(name="kept_traceback", type="leaks.JobError", root="module global", path=("ERRORS",)),
    _kept("thread_local", "thread local", "requests"),
    _kept("context_variable", "context variable", "'spans'"),
    Label(
        name="event_loop_timer",
        type="asyncio.events.TimerHandle",
        root="event loop",
        path=("._scheduled",),
    ),
    Label(
        name="task_never_done", type="_asyncio.Task", root="module global", path=("leaks.TASKS",)
    ),
    Label(
        name="coroutine_never_awaited",
        type="coroutine",
        root="module global",
        path=("leaks.COROUTINES",),
    ),
    _kept("suspended_generator", "suspended frame", "COLLECTOR", "local 'seen'"),
    _kept("running_thread", "running frame", "_work", "local 'kept'", setup=True),
    Label(
        name="executor_queue",
        type="concurrent.futures.thread._WorkItem",
        root="module global",
        path=("._work_queue",),
        setup=True,
    ),
    Label(name="kept_by_atexit", type="leaks.Client", root="atexit"),
    Label(name="kept_by_fork_hooks", type="leaks.Client", root="os.register_at_fork"),
    Label(name="logging_handler", type="logging.StreamHandler", root="logging", path=("handlers",)),
    Label(
        name="weakref_callback",
        type="weakref.finalize._Info",
        root="class attribute",
        path=("weakref.finalize._registry",),
    ),
    Label(
        name="listener_never_removed",
        type="leaks.Client",
        root="module global",
        path=("leaks.LISTENERS", "['changed']"),
    ),
    Label(name="missing_decrement", type="list", root=OUTSIDE),
    Label(name="missing_decrement_of_bytes", type="bytes", root=OUTSIDE, path=("nothing in",)),
    Label(name="missing_decrement_of_text", type="str", root=OUTSIDE, path=("nothing in",)),
    Label(name="text_held_by_malloc", type="str", root=OUTSIDE, path=("memory of malloc",)),
    Label(name="native_block", type="native memory (malloc)", root=OUTSIDE, per_call=None),
    Label(
        name="growing_buffer",
        type="array.array",
        root="module global",
        path=("leaks.SAMPLES",),
        per_call=0.0,
    ),
    Label(
        name="native_weight",
        type="leaks.Connection",
        root="module global",
        path=("leaks.POOL", "ssl.SSLContext"),
    ),
    Label(
        name="client_of_an_expensive_call",
        type="leaks.HttpClient",
        root="module global",
        path=("leaks.MANAGER", ".active", ".holds", "leaks.Engine", ".client: leaks.HttpClient"),
    ),
    Label(name="native_stream", type="zlib.Compress", root="module global", path=("STREAMS",)),
    Label(name="cycle_in_a_registry", type="leaks.Ring", root="module global", path=("RINGS",)),
    _kept("every_tenth_call", "module global", "leaks.BY_DAY", per_call=0.1),
    _kept("three_a_call", "module global", "leaks.PAIRS", per_call=3.0),
    _kept("value_of_the_setup", "value of the set-up", ".sessions", "[*]", setup=True),
)


def mistakes(label: Label, culprit: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield (column, what is wrong) of what the first culprit of a leak says."""
    if culprit is None:
        yield "type", "no culprit"
        return
    if culprit["type"] != label.type:
        yield "type", f"type {culprit['type']}, not {label.type}"
    if label.per_call is not None and culprit["per_call"] != label.per_call:
        yield "type", f"{culprit['per_call']} a call, not {label.per_call}"
    if culprit["root"] != label.root:
        yield "holder", f"root {culprit['root']}, not {label.root}"
    way = " → ".join(culprit["path"])
    yield from (
        ("holder", f"no {text!r} in the path {way}") for text in label.path if text not in way
    )
    site = culprit["user_site" if label.users else "site"]
    if not site.endswith(label.site):
        yield "line", f"line {site}, not {label.site}"
    if culprit["share"] < label.share:
        yield "bytes", f"{culprit['share']:.0%} of the growth, not {label.share:.0%}"
    if label.advice not in culprit["advice"]:
        yield "advice", f"advice {culprit['advice']!r} without {label.advice!r}"

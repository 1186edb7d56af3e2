"""Labels of the leaks of caches, of what waits, by way of libraries, and of what gets longer."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from bench.proof.explain_accuracy.labels import SOURCE, Label

MOST = 0.8
"""Of a growth: the first culprit has it all but for the containers that several culprits share."""
GLOBAL, SETUP = "module global", "value of the set-up"
ENTRY = "a container gains an entry"


def _label(
    file: str, name: str, kind: str, root: str, advice: str, *path: str, **more: Any
) -> Label:
    return Label(
        **{"users": True, "share": MOST, **more},
        name=name,
        type=kind.replace("<>", f"leaks_of_{file}"),
        root=root,
        path=path,
        advice=advice,
        file=f"leaks_of_{file}.py",
    )


_cache, _waiting = partial(_label, "caches"), partial(_label, "waiting")
_library = partial(_label, "libraries", setup=True)
_longer = partial(_label, "longer", per_call=0.0)

CACHES: Final = (
    _cache("bounded_lru_cache_too_large", "<>.Record", "lru_cache", "smaller maxsize", "_loaded"),
    _cache("unbounded_cache_of_text", "str", "lru_cache", "maxsize=None", "_never_forgotten"),
    _cache("bounded_cache_on_a_method", "<>.Report", "lru_cache", "every Report", "Report.line"),
    _cache("own_cache_too_large", "<>.Record", GLOBAL, "smaller bound", "OWN_CACHE", ".entries"),
    _cache("deque_too_long", "<>.Record", GLOBAL, "maxlen=1000000000", "LAST"),
    _cache("weak_key_that_its_value_holds", "<>.Record", GLOBAL, "its own key", "WEAK", ".data"),
    _cache("counted_for_ever", "int", GLOBAL, ENTRY, "COUNTS"),
    _cache("spread_over_shards", "<>.Record", GLOBAL, ENTRY, "BY_SHARD", "[*]"),
    _cache("queue_that_nobody_reads", "<>.Record", GLOBAL, "maxsize", "INBOX", ".queue"),
    _cache("default_argument", "<>.Record", GLOBAL, ENTRY, "_remember", ".__defaults__"),
    _cache("function_attribute", "<>.Record", "target", ENTRY, ".seen"),
    _cache("class_made_at_each_call", "abc.ABCMeta", "class attribute", "a class", "registered"),
    _cache("named_tuple_at_each_call", "type", GLOBAL, "a class is made", "CLASSES"),
    _cache("module_at_each_call", "module", GLOBAL, "a module is registered", "sys.modules"),
    _cache("mock_that_is_called", "unittest.mock._Call", GLOBAL, "reset_mock()", "MOCK", share=0.3),
    _cache("warned_of_each_number", "tuple", GLOBAL, ENTRY, "__warningregistry__", setup=True),
    _cache("written_to_memory", "_io.BytesIO", GLOBAL, "in place", "WRITTEN", per_call=0.0),
    _cache("buffer_that_is_added_to", "bytearray", GLOBAL, "in place", "TEXT", per_call=0.0),
    _cache("view_that_keeps_its_base", "memoryview", GLOBAL, "keep a copy", "VIEWS"),
    _cache("context_that_is_kept", "_contextvars.Context", GLOBAL, ENTRY, "COPIES", share=0.5),
    _cache("hook_around_the_hook", "function", GLOBAL, "", "sys.excepthook"),
    _cache("chain_of_maps", "dict", GLOBAL, ENTRY, "HISTORY", ".maps"),
)

WAITING: Final = (
    _waiting("generator_never_closed", "generator", GLOBAL, "generator.close()", "GENERATORS"),
    _waiting("async_generator_never_closed", "async_generator", GLOBAL, "aclose()", "GENERATORS"),
    _waiting(
        "context_never_left",
        "contextlib._GeneratorContextManager",
        GLOBAL,
        "with statement",
        "OPENED",
    ),
    _waiting("exit_stack_of_the_service", "tuple", GLOBAL, "exit stack", "_exit_callbacks"),
    _waiting("logging_filter", "<>.OnlyThis", "logging", "removeFilter", ".filters"),
    _waiting("logger_for_each_call", "logging.Logger", "logging", "use one name", "loggerDict"),
    _waiting("log_records_in_memory", "logging.LogRecord", "logging", "flush it", ".buffer"),
    _waiting("atexit_with_arguments", "tuple", "atexit", "unregister", "atexit"),
    _waiting(
        "signal_handler_around_the_last", "function", "signal handler", "set it once", "SIGUSR2"
    ),
    _waiting(
        "timer_that_pins_a_context",
        "asyncio.events.TimerHandle",
        "event loop",
        "cancel it",
        "_scheduled",
        share=0.5,
    ),
    _waiting("task_that_waits_for_a_queue", "_asyncio.Task", GLOBAL, "a task waits", "_getters"),
    _waiting("task_that_waits_for_an_event", "_asyncio.Task", GLOBAL, "a task waits", "_waiters"),
    _waiting("task_done_and_kept", "_asyncio.Task", GLOBAL, "add_done_callback", "DONE"),
    _waiting("callback_of_a_long_future", "tuple", GLOBAL, "a callable is kept", "['future']"),
    _waiting(
        "future_that_failed",
        "concurrent.futures._base.Future",
        GLOBAL,
        "keeps the exception",
        "RESULTS",
    ),
    _waiting("error_behind_the_error", "ValueError", GLOBAL, "str(error)", "FAILED"),
    _waiting(
        "weak_reference_with_a_callback",
        "weakref.ReferenceType",
        GLOBAL,
        "a callable is kept",
        "REFERENCES",
    ),
    _waiting("socket_never_closed", "tuple", GLOBAL, ENTRY, "PAIRS"),
    _waiting("database_never_closed", "sqlite3.Connection", GLOBAL, "close()", "DATABASES"),
    _waiting("element_of_a_tree", "xml.etree.ElementTree.Element", GLOBAL, "", "TREE"),
    _waiting("text_file_in_memory", "_io.TextIOWrapper", GLOBAL, "close()", "FILES"),
)

LIBRARIES: Final = (
    _library("httpx_client", "httpx.Client", GLOBAL, "(client.close())", "KEPT"),
    _library("httpx_async_client", "httpx.AsyncClient", GLOBAL, "await client.aclose()", "KEPT"),
    _library("httpx_event_hook", "function", SETUP, "a listener", "_event_hooks"),
    _library("requests_session", "requests.sessions.Session", GLOBAL, "(client.close())", "KEPT"),
    _library(
        "aiohttp_session", "aiohttp.client.ClientSession", GLOBAL, "await client.close()", "KEPT"
    ),
    _library("openai_client", "openai.OpenAI", GLOBAL, "(client.close())", "KEPT"),
    _library("fastapi_state", "<>.Record", SETUP, ENTRY, "_state", "['seen']"),
    _library("fastapi_override", "function", SETUP, "a callable", "dependency_overrides"),
    _library("starlette_background", "starlette.background.BackgroundTask", SETUP, "", ".tasks"),
    _library(
        "sqlalchemy_session", "<>._database.<locals>.Invoice", SETUP, "expunge_all()", "._new"
    ),
    _library("sqlalchemy_listener", "function", SETUP, "a listener", ".listeners", share=0.5),
    _library("sqlalchemy_engine", "sqlalchemy.engine.base.Engine", GLOBAL, "dispose()", "KEPT"),
    _library(
        "langchain_history",
        "langchain_core.messages.human.HumanMessage",
        SETUP,
        ENTRY,
        ".messages",
    ),
    _library(
        "langchain_sessions",
        "langchain_core.chat_history.InMemoryChatMessageHistory",
        SETUP,
        ENTRY,
    ),
    _library("langchain_cache", "list", SETUP, ENTRY, "InMemoryCache", "._cache"),
    _library(
        "langchain_callbacks",
        "<>.langchain_callbacks_setup.<locals>.Handler",
        SETUP,
        "remove_handler",
        ".handlers",
    ),
    _library(
        "pydantic_model",
        "pydantic._internal._model_construction.ModelMetaclass",
        GLOBAL,
        "a class is made",
        "KEPT",
    ),
    _library("numpy_view", "numpy.ndarray", GLOBAL, "array.copy()", "KEPT"),
    _library(
        "pyplot_figure", "matplotlib.figure.Figure", "class attribute", "plt.close", "Gcf.figs"
    ),
    _library("celery_task", "celery.local.PromiseProxy", SETUP, ENTRY, "._pending", share=0.5),
    _library("celery_signal", "tuple", GLOBAL, "disconnect", "task_success", ".receivers"),
    _library("prometheus_label", "prometheus_client.metrics.Counter", SETUP, "few values"),
    _library(
        "opentelemetry_spans",
        "opentelemetry.sdk.trace.ReadableSpan",
        SETUP,
        ENTRY,
        "._finished_spans",
    ),
    _library("cachetools_too_large", "<>.Record", SETUP, "smaller bound", "data", share=0.7),
    _library("pillow_image", "PIL.Image.Image", GLOBAL, "", "KEPT", "ImagingCore"),
)

LONGER: Final = (
    _longer("text_that_is_added_to", "str", GLOBAL, "a longer str", "TEXT"),
    _longer("log_of_a_job", "str", GLOBAL, "a longer str", "JOB", ".log"),
    _longer("bytes_of_one_key", "bytes", GLOBAL, "a longer bytes", "JOB", ".parts", "['body']"),
    _longer("names_set_on_an_object", "str", GLOBAL, "", "FLAGS", ".*", per_call=1.0),
    _longer(
        "array_that_is_appended_to",
        "numpy.ndarray",
        "class attribute",
        "a longer ndarray",
        "Series.values",
        setup=True,
    ),
)

MORE: Final = (*CACHES, *WAITING, *LIBRARIES, *LONGER)


def mended(label: Label) -> bool:
    """Say whether the source has the same work with the advice followed, ``NAME_mended``."""
    text = SOURCE.with_name(label.file).read_text(encoding="utf-8")
    return f"def {label.name}_mended(" in text

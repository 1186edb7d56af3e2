"""Registries that nobody signs off from."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("registries")

LABELLED: Final = (
    _of.leak("client_kept_by_atexit", "atexit", "held outside Python", peers=True),
    _of.leak("logging_handler_per_call", "logging", "handlers add up", peers=True),
    _of.leak("logger_per_call", "logging", "a name a request"),
    _of.leak("closures", "closures", "a cell holds the payload"),
    _of.leak("callbacks_never_removed", "callbacks", "bound methods hold the views"),
    _of.leak("partials", "callbacks", "partial objects"),
    _of.leak("finalizers_on_a_module", "callbacks", "weakref.finalize on what stays"),
    _of.leak(
        "context_variables",
        "context variables",
        "the context keeps a new variable, in a trie whose nodes depend on addresses",
        exact=False,
    ),
    _of.leak("contexts_copied", "context variables", "a copied context a request"),
    _of.leak("tracebacks", "tracebacks", "an error holds frames and their locals"),
    _of.leak("lru_cache_on_a_method", "method cache", "the cache keeps each self alive"),
    _of.leak("classes_registered", "registries", "a class a call"),
    _of.leak("modules_per_call", "registries", "sys.modules grows"),
    _of.leak("thread_local_list", "registries", "spans in thread-local storage"),
    _of.leak("engine_per_call", "registries", "each has a bounded cache, 1 of 500 full"),
    _of.leak("metrics_by_user", "registries", "a label a user: a dict that doubles"),
)

"""Registries that nobody signs off from: callbacks, handlers, contexts, tracebacks, methods."""

import atexit
import contextvars
import itertools
import logging
import sys
import threading
import types
import weakref
from functools import lru_cache, partial

_calls = itertools.count()
_kept = []


class _Client:
    def __init__(self):
        self.buffer = bytes(600)

    def close(self):
        self.buffer = b""


def client_kept_by_atexit():
    atexit.register(_Client().close)


_logger = logging.getLogger("accuracy.leak")
_logger.propagate = False


def logging_handler_per_call():
    _logger.addHandler(logging.NullHandler())


def logger_per_call():
    logging.getLogger(f"accuracy.request.{next(_calls)}")


def closures():
    payload = bytes(300)
    _kept.append(lambda: payload)


_subscribers = {"changed": []}


class _View:
    def __init__(self):
        self.rows = list(range(40))

    def refresh(self):
        self.rows.clear()


def callbacks_never_removed():
    _subscribers["changed"].append(_View().refresh)


def partials():
    _kept.append(partial(print, "call", next(_calls), sep=bytes(200)))


def context_variables():
    contextvars.ContextVar("request").set(bytes(500))


def contexts_copied():
    context = contextvars.copy_context()
    context.run(_REQUEST.set, bytes(400))
    _kept.append(context)


_REQUEST = contextvars.ContextVar("request_body", default=b"")


def tracebacks():
    try:
        _fail(bytes(1500))
    except ValueError as error:
        _kept.append(error)


def _fail(local):
    raise ValueError(f"request {len(local)}")


class _Repository:
    def __init__(self):
        self.rows = bytes(1000)

    @lru_cache(maxsize=None)  # noqa: B019, UP033 - the leak itself
    def find(self, key):
        return key


def lru_cache_on_a_method():
    _Repository().find(1)


def classes_registered():
    _kept.append(type(f"Model{next(_calls)}", (), {"table": "models"}))


def modules_per_call():
    name = f"plugin_{next(_calls)}"
    sys.modules[name] = types.ModuleType(name)


def finalizers_on_a_module():
    weakref.finalize(_Repository, len, bytes(350))


_local = threading.local()


def thread_local_list():
    if not hasattr(_local, "spans"):
        _local.spans = []
    _local.spans.append({"span": next(_calls)})


_request_log = {}


def metrics_by_user():
    user = f"user-{next(_calls)}"
    _request_log.setdefault(user, []).append(1.5)


class _Statements(dict):
    def __init__(self, maxsize):
        super().__init__()
        self.maxsize = maxsize


class _Engine:
    def __init__(self):
        self.statements = _Statements(500)
        self.statements["select 1"] = 1


def engine_per_call():
    _kept.append(_Engine())

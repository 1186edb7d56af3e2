"""What the interpreter keeps for itself: imports, free lists, tables, names, classes, logs."""

import contextlib
import importlib
import io
import itertools
import logging
import logging.handlers
import random
import sys
from abc import ABC

_calls = itertools.count()
_random = random.Random(7)

_LAZY = """
colorsys tomllib graphlib symtable fileinput filecmp plistlib netrc mailbox shelve dbm optparse
cmd pdb profile cProfile pstats trace tabnanny pyclbr sched timeit zipapp modulefinder
""".split()  # noqa: SIM905 - a list of words reads best as words


def pure_work():
    return sum(number * number for number in range(200))


def lazy_imports():
    call = next(_calls)
    if call < len(_LAZY):
        with contextlib.suppress(ImportError):  # newer versions have dropped some of them
            importlib.import_module(_LAZY[call])


def late_import():
    if next(_calls) == 60:
        importlib.import_module("xmlrpc.client")
        importlib.import_module("imaplib")


def missing_import():
    with contextlib.suppress(ImportError):
        importlib.import_module("an_optional_accelerator")


def free_lists():
    tuples = [tuple(range(length)) for length in range(20)]
    floats = [float(number) for number in range(150)]
    dicts = [{"length": len(item)} for item in tuples]
    return len(tuples) + len(floats) + len(dicts)


_window = {}


def sliding_dict():
    call = next(_calls)
    _window[call] = None
    _window.pop(call - 90, None)


_stack = []


def resized_list():
    _stack.extend([None] * _random.randrange(2000))
    _stack.clear()


_names = type("Names", (), {})()


def interned_names():
    name = sys.intern(f"name_{_random.randrange(80)}")
    setattr(_names, name, None)


class _Plugin(ABC):  # noqa: B024 - only its weak registries matter
    pass


def classes_dropped():
    plugin = type(f"Plugin{next(_calls)}", (_Plugin,), {"run": lambda self: None})
    return issubclass(plugin, _Plugin)


def exceptions_handled():
    def fail(depth):
        if depth == 0:
            raise ValueError("bottom " + "x" * 2000)
        fail(depth - 1)

    try:
        fail(20)
    except ValueError as error:
        kept = error  # the frame keeps the error and its traceback the frame: a cycle
        return str(kept)[:3]


_stream = io.StringIO()
_logger = logging.getLogger("accuracy.clean")
_logger.propagate = False
_logger.setLevel(logging.INFO)
_logger.addHandler(logging.StreamHandler(_stream))


def log_lines():
    _logger.info("call %d of %s", next(_calls), "many" * 10)
    _stream.seek(0)
    _stream.truncate()


_memory_logger = logging.getLogger("accuracy.memory")
_memory_logger.propagate = False
_memory_logger.setLevel(logging.INFO)
_memory_logger.addHandler(logging.handlers.MemoryHandler(capacity=64, target=logging.NullHandler()))


def log_memory_handler():
    _memory_logger.info("call %d", next(_calls))


def loggers_by_name():
    logging.getLogger(f"accuracy.part.{_random.randrange(40)}").debug("silent")


_revived = []


class _Resurrecting:
    def __init__(self):
        self.me = self
        self.payload = bytes(3000)

    def __del__(self):
        _revived.append(self)


def finalizer_resurrects():
    _revived.clear()
    _Resurrecting()

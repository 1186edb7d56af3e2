"""Name objects and the references between them the way a person would write them."""

from __future__ import annotations

import collections
import functools
import sys
import types
from typing import Any, Dict, Iterator, Optional, Tuple, Union

Kinds = Union[type, Tuple[type, ...]]
References = Iterator[Tuple[str, Any]]  # label, child
Step = Tuple[str, str]  # label, description of what it leads to
MAPPINGS = (dict,)
SEQUENCES = (list, tuple, collections.deque)
SETS = (set, frozenset)
LRU_WRAPPER = type(functools.lru_cache(maxsize=1)(lambda: None))
SUSPENDED = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
LONGEST_KEY = 40


def is_a(thing: Any, kinds: Kinds) -> bool:
    """Do what isinstance does, by the true type: proxies answer isinstance by loading things."""
    return issubclass(type(thing), kinds)


def type_name(kind: type) -> str:
    """Return a type's name with its module, builtins without it."""
    module = getattr(kind, "__module__", None)
    name = getattr(kind, "__qualname__", None) or kind.__name__
    return name if module in (None, "builtins") else "%s.%s" % (module, name)


def namespace_of(thing: Any) -> Optional[Dict[str, Any]]:
    """Return the `__dict__` that a thing has already, without making it have one."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except Exception:
        return None
    return found if is_a(found, dict) else None


def entry(holder: Any) -> Optional[str]:
    """Return the label of any entry of a container, None for what is not a container."""
    if is_a(holder, MAPPINGS) or is_a(holder, SEQUENCES):
        return "[*]"
    return "{*}" if is_a(holder, SETS) else None


def key_label(key: Any) -> str:
    """Return the label of one entry of a dictionary."""
    if type(key) is str:
        shown = key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"
        return "[%r]" % shown
    return "[%r]" % key if type(key) in (int, bool, type(None)) else "[%s]" % type_name(type(key))


def edges(holder: Any) -> References:
    """Yield (label, child) for the references of a holder that have a name."""
    if is_a(holder, (types.ModuleType, type)):
        for name, value in list(vars(holder).items()):
            yield "." + name, value
    elif is_a(holder, types.FunctionType):
        for found in _of_function(holder):
            yield found
    elif is_a(holder, types.CellType):
        yield ".cell_contents", _cell(holder)
    elif is_a(holder, types.MethodType):
        yield ".__self__", holder.__self__
        yield ".__func__", holder.__func__
    elif is_a(holder, SUSPENDED):
        for found in _of_suspended(holder):
            yield found
    elif is_a(holder, types.FrameType):
        for found in _of_frame(holder):
            yield found
    elif is_a(holder, types.TracebackType):
        yield ".tb_frame", holder.tb_frame
        yield ".tb_next", holder.tb_next
    else:
        for found in _of_instance(holder):
            yield found


def _cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _of_function(function: types.FunctionType) -> References:
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or ()):
        yield " closure %r" % name, cell
        yield " closure %r" % name, _cell(cell)
    yield ".__closure__", function.__closure__
    for value in function.__defaults__ or ():
        yield " default argument", value
    yield ".__defaults__", function.__defaults__
    for name, value in (function.__kwdefaults__ or {}).items():
        yield " default of %r" % name, value
    yield ".__dict__", namespace_of(function)


def _of_frame(frame: types.FrameType) -> References:
    try:
        for name, value in list(frame.f_locals.items()):
            yield " local %r" % name, value
    except Exception:
        return
    yield ".f_back", frame.f_back


def _of_suspended(thing: Any) -> References:
    frame = getattr(thing, "gi_frame", None)
    frame = frame or getattr(thing, "cr_frame", None) or getattr(thing, "ag_frame", None)
    if frame is not None:
        yield " frame", frame
        for found in _of_frame(frame):
            yield found
    for name in ("gi_yieldfrom", "cr_await", "ag_await"):
        yield " awaits", getattr(thing, name, None)


def _of_instance(thing: Any) -> References:
    if is_a(thing, MAPPINGS):
        for key, value in list(dict.items(thing)):
            yield key_label(key), value
            yield " key", key
    elif is_a(thing, SEQUENCES) or is_a(thing, SETS):
        label: Any = entry(thing)
        for value in list(thing):
            yield label, value
    if is_a(thing, BaseException):
        yield ".__traceback__", thing.__traceback__
        yield ".__cause__", thing.__cause__
        yield ".__context__", thing.__context__
        yield ".args", thing.args
    attributes = namespace_of(thing)
    if attributes is not None and attributes is not thing:
        for name, value in list(attributes.items()):
            yield "." + str(name), value
        yield ".__dict__", attributes
    for name, value in _members(thing):
        yield "." + name, value


def _members(thing: Any) -> References:
    """Yield what the slots and C members of an instance hold, by name."""
    for ancestor in type(thing).__mro__[:-1]:
        for name, descriptor in list(vars(ancestor).items()):
            readable = is_a(descriptor, types.GetSetDescriptorType) and name in _READABLE
            if readable or is_a(descriptor, types.MemberDescriptorType):
                try:
                    yield name, descriptor.__get__(thing)
                except Exception:
                    continue


_READABLE = frozenset(("_coro", "_callbacks", "_exception", "_result", "_context"))


def label(holder: Any, child: Any, general: bool = False) -> str:
    """Return how `holder` refers to `child`; `general` leaves out which entry of a container.

    "" where the reference has no name: inside an object of an extension. Costs one look at each
    reference of the holder.
    """
    any_entry = entry(holder) if general else None
    if any_entry is not None:
        return any_entry
    for text, value in edges(holder):
        if value is child:
            return text
    if is_a(holder, LRU_WRAPPER):
        return " cached result"
    if is_a(holder, type) and type.__dict__["__mro__"].__get__(holder) is child:
        return ".__mro__"  # of a class itself, not of what it gives its instances
    return ""


def step(text: str, below: str) -> Step:
    """Return one step of a path: its label, and the description of what it leads to."""
    return text.strip(), below


def position(thing: Any) -> str:
    """Return where code was defined, "name (file:line)": of functions, frames, suspended ones."""
    if is_a(thing, types.FrameType):
        code, line = thing.f_code, thing.f_lineno
    elif is_a(thing, types.FunctionType):
        code, line = thing.__code__, thing.__code__.co_firstlineno
    else:
        code = getattr(thing, "gi_code", None) or getattr(thing, "cr_code", None)
        code = code or getattr(thing, "ag_code", None)
        line = code.co_firstlineno if code is not None else 0
    if code is None:
        return ""
    return "%s (%s:%d)" % (getattr(code, "co_qualname", code.co_name), code.co_filename, line)


def describe(thing: Any) -> str:
    """Return what stands after a colon in a path: the type, or the name of a function."""
    if is_a(thing, types.FunctionType):
        return "function %s" % position(thing)
    if is_a(thing, types.FrameType):
        return "frame of %s" % position(thing)
    if is_a(thing, SUSPENDED):
        return "%s %s" % (type(thing).__name__, position(thing))
    if is_a(thing, type):
        return "class %s" % type_name(thing)
    if is_a(thing, LRU_WRAPPER):
        return "lru_cache of %s.%s" % (
            getattr(thing, "__module__", "?"),
            getattr(thing, "__qualname__", "?"),
        )
    return type_name(type(thing))


PACKAGE = __name__.rpartition(".")[0]


def is_ours(thing: Any) -> bool:
    """Say whether a thing belongs to the worker: its modules, functions, frames, instances."""
    if is_a(thing, types.FrameType):
        return bool(thing.f_globals.get("__package__") == PACKAGE)
    if is_a(thing, types.ModuleType):
        name: str = thing.__name__
        return name == PACKAGE or name.startswith(PACKAGE + ".")
    if is_a(thing, SUSPENDED):
        frame = getattr(thing, "gi_frame", None) or getattr(thing, "cr_frame", None)
        return frame is not None and is_ours(frame)
    if is_a(thing, types.FunctionType):
        module = thing.__module__
    elif is_a(thing, type):
        module = getattr(thing, "__module__", None)
    elif is_a(thing, types.MethodType):
        return is_ours(thing.__func__)
    else:
        module = getattr(type(thing), "__module__", None)
    return is_a(module, str) and (module == PACKAGE or module.startswith(PACKAGE + "."))


def stdlib_prefixes() -> Tuple[str, ...]:
    """Return the folders of the standard library."""
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib") if paths.get(name)})


STDLIB = stdlib_prefixes()


def is_stdlib(filename: str) -> bool:
    """Say whether a file belongs to the standard library or is no file at all."""
    if filename.startswith("<") or not filename:
        return True
    inside = filename.startswith(STDLIB)
    return inside and "site-packages" not in filename and "dist-packages" not in filename


def is_users(filename: str) -> bool:
    """Say whether a file is of the program that is measured: no library's, and no extension's."""
    installed = "site-packages" in filename or "dist-packages" in filename
    return filename.endswith(".py") and not installed and not is_stdlib(filename)


def thread_frames() -> Iterator[Tuple[int, types.FrameType]]:
    """Yield (thread id, frame) for every frame of every other thread."""
    import threading

    here = threading.get_ident()
    frame: Optional[types.FrameType]
    for ident, frame in list(sys._current_frames().items()):
        while frame is not None and ident != here:
            yield ident, frame
            frame = frame.f_back

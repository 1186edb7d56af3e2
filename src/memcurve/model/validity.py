"""What a stored value must be beyond its types, since others may have written it.

Names can be those of files, numbers are finite and fit in 64 bits, columns are as long as the
calls that they stand beside, and calls rise. Whatever reads a file asks here before it is used.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from memcurve.model.baseline import AcceptedCurve, Baseline
from memcurve.model.errors import RecordingError
from memcurve.model.recording import PassRecord, Recording, Samples
from memcurve.model.text import name_problem, shown_name

T = TypeVar("T", bound=msgspec.Struct)

LARGEST = 1 << 63
"""Counters are 64-bit integers where they are read."""
MOST_CALLS = 10**9
LONGEST_TEXT = 1 << 20
DEEPEST = 60
"""Levels of values in values; what is written here has at most twenty."""
FAULTS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError)
"""What code raises that is given a value which nothing measured could have."""


def problem(value: msgspec.Struct) -> str | None:
    """Return what is wrong with a stored value as ``field: what``, None if nothing is."""
    return next(_problems(value, "", 0), None)


def _problems(value: Any, where: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        yield f"{where}: nested more than {DEEPEST} deep"
    elif isinstance(value, msgspec.Struct):
        check = _CHECKS.get(type(value))
        if check is not None:
            yield from (_at(where, text) for text in check(value))
        for name in value.__struct_fields__:
            yield from _problems(getattr(value, name), _at(where, name), depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _problems(each, _at(where, str(key)[:60]), depth + 1)
    elif isinstance(value, tuple | list | set | frozenset):
        for position, each in enumerate(value):
            if type(each) is int and -LARGEST < each < LARGEST:
                continue  # nearly all there is: a path for each costs more than reading the file
            yield from _problems(each, f"{where}[{position}]", depth + 1)
    elif isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            yield f"{where}: a text of {len(value):,} characters"
    elif isinstance(value, int | float) and not abs(value) < LARGEST:  # nor nan
        yield f"{where}: not a number that 64 bits can hold"


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _recording(value: Recording) -> Iterator[str]:
    yield from _named("scenario", value.scenario)
    yield from _named("design", value.design)
    yield from _counted("calls", value.calls, least=1)


def _pass(value: PassRecord) -> Iterator[str]:
    yield from _counted("calls", value.calls)
    yield from _counted("looked_at", value.looked_at)
    for name in ("cpu_s", "wall_s", "sampling_s", "elapsed_s"):
        if getattr(value, name) < 0:
            yield f"{name}: {getattr(value, name)} is below 0"


def _samples(value: Samples) -> Iterator[str]:
    yield from _rising("calls", value.calls)
    for name, column in value.counters.items():
        if len(column) != len(value.calls):
            yield (
                f"counters.{name[:60]}: {len(column)} values beside {len(value.calls)} calls; "
                "each needs one"
            )


def _baseline(value: Baseline) -> Iterator[str]:
    yield from _named("scenario", value.scenario)
    yield from _named("environment", value.environment.key)
    for name in value.designs:
        yield from _named("designs", name)


def _accepted(value: AcceptedCurve) -> Iterator[str]:
    yield from _rising("calls", value.calls)
    for name in ("values", "low", "high"):
        length = len(getattr(value, name))
        if length != len(value.calls):
            yield f"{name}: {length} values beside {len(value.calls)} calls; each needs one"


def _named(field: str, name: str) -> Iterator[str]:
    if wrong := name_problem(name):
        yield f"{field}: {shown_name(name)}: {wrong}"


def _counted(field: str, number: int, least: int = 0) -> Iterator[str]:
    if not least <= number <= MOST_CALLS:
        yield f"{field}: {str(number)[:20]} is not between {least} and {MOST_CALLS:,}"


def _rising(field: str, calls: tuple[int, ...]) -> Iterator[str]:
    for before, after in zip((-1, *calls), calls, strict=False):
        if not before < after <= MOST_CALLS:
            yield f"{field}: {str(after)[:20]} comes after {str(before)[:20]}; calls rise from 0"
            return


_CHECKS: dict[type[Any], Callable[[Any], Iterable[str]]] = {
    Recording: _recording,
    PassRecord: _pass,
    Samples: _samples,
    Baseline: _baseline,
    AcceptedCurve: _accepted,
}


def decoded(data: bytes, kind: type[T]) -> T:
    """Read a value from JSON and check it; raises RecordingError, which names the field."""
    try:
        value = msgspec.json.decode(data, type=kind)
    except RecursionError as error:
        raise RecordingError("nested too deep") from error
    except FAULTS as error:  # bytes that are no UTF-8, a number of a thousand digits
        raise RecordingError(str(error)) from error
    wrong = problem(value)
    if wrong is not None:
        raise RecordingError(wrong)
    return value

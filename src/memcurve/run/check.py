"""`memcurve.check`: the whole measurement of one callable as one function."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from memcurve.explain.known import KnownLeak, load_known
from memcurve.model.effort import Effort, effort_for
from memcurve.model.errors import TargetError
from memcurve.model.scenario import Target
from memcurve.model.verdict import Checked
from memcurve.run.conclude import concluded, with_explanation
from memcurve.run.explain import ExplainOptions, explained
from memcurve.run.fork import ForkOfThis, subject_here
from memcurve.run.in_process import ThisProcess
from memcurve.run.interpreter import Interpreter
from memcurve.run.look import wants_a_cause
from memcurve.run.options import Options, thresholds_of
from memcurve.run.passes import Passes, Progress, Subject, measured
from memcurve.run.standing import with_standing

Given = Mapping[str, str | Callable[..., Any] | None]
"""What was given in the roles "target", "setup" and "teardown"."""


def check(
    target: str | Callable[..., Any],
    *,
    setup: str | Callable[..., Any] | None = None,
    teardown: str | Callable[..., Any] | None = None,
    inputs: str | Path | None = None,
    calls: int | None = None,
    budget: float | None = None,
    timeout: float = 30.0,
    grace: float = 1.0,
    max_bytes: str | int | None = None,
    max_garbage: str | int | None = None,
    python: str | None = None,
    isolation: str | None = None,
    explain: bool | None = None,
    samples: bool = True,
    known_leaks: str | Path | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Run a callable again and again and say whether anything grows with its calls.

    `target` is a callable or its text (``pkg.mod:attr`` or ``path/file.py:attr``), synchronous or
    not; it may take the call's number or, with `inputs` (JSON Lines), the next line. A named
    target runs in an interpreter of its own, `python` if given; a callable without a name runs in
    a fork of this process. `isolation` "fork" asks for the fork, "none" for this very process.

    Garbage that waits for the collector is no growth; more than `max_garbage` of it at once, 64 MiB
    by default, is a debt that is heavy: `Checked.judgement.debt`, with what helps, measured.

    What grows is explained (who holds it, where it is made), unless `explain` is false; true asks
    for that in any case. `known_leaks` is a file of acknowledged ones, `known-leaks.toml` if there
    is one. Without `samples`, no beginning of a text that stays is told. What is measured
    in this very process is not explained: looking would be counted.

    Returns the worst verdict of memory, descriptors, threads and tasks, and what it rests on.
    Costs the calls plus about 0.3 s: so many `calls` and no other, where that is given; else as
    many as decide, 250 to 10,000, or what fits into `budget` seconds. The default is 10, or the
    time of 12 calls where that is more. Raises TargetError for what cannot be called and
    CheckFailedError for a target that raises, hangs or dies.
    """
    options = Options(
        call_timeout_s=timeout,
        grace_s=grace,
        python=python or sys.executable,
        samples=samples,
        thresholds=thresholds_of(max_bytes, max_garbage),
    )
    looks = explain is not False and isolation != "none"
    effort = effort_for(calls, budget, options.thresholds, looks=looks)
    given: Given = {"target": target, "setup": setup, "teardown": teardown}
    if isolation == "none":
        if not callable(target) or setup or teardown or inputs or python:
            raise TargetError("isolation 'none' takes a callable and nothing around it")
        return ThisProcess(target).drive(checked(subject_here(target), options, effort))
    known = load_known(known_leaks)
    named = _named(given, in_fork=isolation == "fork")
    if named is None:
        functions = {role: _callable(role, one) for role, one in given.items()}
        subject = subject_here(functions["target"], inputs)
        passes = checked(subject, options, effort, explain=explain, known=known)
        return ForkOfThis(functions, options).drive(passes, progress)
    where = {"inputs": str(inputs) if inputs is not None else None}
    paths = tuple(sys.path[1:]) if python is None else ()
    subject = Subject(target=msgspec.structs.replace(named, paths=paths, **where))
    passes = checked(subject, options, effort, explain=explain, known=known)
    with Interpreter.opened([subject], options) as interpreter:
        return interpreter.drive(subject, passes, progress)


async def acheck(
    target: Callable[..., Any],
    *,
    calls: int | None = None,
    budget: float | None = None,
    grace: float = 1.0,
    max_bytes: str | int | None = None,
) -> Checked:
    """Do what `check` does, in the running event loop and in this very process.

    For what is tied to the loop or to connections of this process. What else runs here is in the
    figures, no call has a time limit, and the collector is off between calls while this runs.
    Raises CheckFailedError from what the target raised.
    """
    options = Options(grace_s=grace, thresholds=thresholds_of(max_bytes))
    effort = effort_for(calls, budget, options.thresholds)
    return await ThisProcess(target).adrive(checked(subject_here(target), options, effort))


def checked(
    subject: Subject,
    options: Options,
    effort: Effort,
    *,
    explain: bool | None = False,
    known: tuple[KnownLeak, ...] = (),
) -> Passes[Checked]:
    """Measure one callable, judge it, and explain what grows or waits.

    The causes are looked for if something grows or leaves much to the collector, always with
    `explain` true, never with it false.
    """
    began = time.monotonic()
    recording = yield from measured(subject, options, effort)
    left_s = effort.left_s(time.monotonic() - began)
    recording = yield from with_standing(recording, subject, options, left_s, once=effort.exact)
    found = concluded(recording, options.thresholds)
    if wants_a_cause(found.judgement) if explain is None else explain:
        left_s = effort.left_s(time.monotonic() - began)
        chosen = ExplainOptions(seconds=left_s, references=bool(explain))
        explanation = yield from explained(subject, options, recording, found.judgement, chosen)
        found = with_explanation(found, explanation, known)
    return msgspec.structs.replace(found, elapsed_s=time.monotonic() - began)


def _named(given: Given, *, in_fork: bool) -> Target | None:
    """Return the target by names that another process can import, None where one has none.

    With `in_fork` a callable counts as one without a name.
    """
    names = {role: None if in_fork and callable(one) else _name(one) for role, one in given.items()}
    call = names["target"]
    if call is None or any(given[role] is not None and names[role] is None for role in given):
        return None
    return Target(call=call, setup=names["setup"], teardown=names["teardown"])


def _callable(role: str, given: str | Callable[..., Any] | None) -> Callable[..., Any] | None:
    if isinstance(given, str):
        raise TargetError(
            f"{role} {given!r} is a name, and what is given with it has none that another "
            "process can import; give all of them as callables"
        )
    return given


def _name(given: str | Callable[..., Any] | None) -> str | None:
    """Return the text by which another process can import what is given, None if there is none."""
    if given is None or isinstance(given, str):
        return given
    module, name = getattr(given, "__module__", None), getattr(given, "__qualname__", "")
    if module in (None, "__main__") or "<" in name:
        return None
    found: Any = sys.modules.get(str(module))
    if getattr(found, "__spec__", None) is None:
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is given else None

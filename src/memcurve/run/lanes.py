"""Lanes: threads with an interpreter each, which run the courses of one group side by side.

A course is the passes of one design, paused between two of them. All courses run in three rounds:
up to the pass that asks for a quiet processor, that pass, and the rest. No lane begins a round
before every lane has ended the one before it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import msgspec

from memcurve.model.outcome import Outcome
from memcurve.model.scenario import BackendFactory
from memcurve.run.interpreter import Interpreter
from memcurve.run.options import RunOptions
from memcurve.run.passes import Passes, Ran, Request, Subject

ROUNDS = (False, True, False)
"""Whether the passes of a round ask for a processor of their own."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run is: which pass of which design runs which call, and how many passes are done.

    The passes that decide count as one for each design, and so does the natural one.
    """

    scenario: str
    design: str
    kind: str
    call: int
    done: int
    total: int


Progress = Callable[[Event], None]

Keep = Callable[[Outcome], None]
"""Called with each outcome as soon as it is there, from several threads."""


class Stopped(Exception):  # noqa: N818 - no error: the run was told to stop
    """The run was interrupted; this pass does not begin."""


class Course:
    """The passes of one design: what they ask for next, and the outcome once they have ended."""

    def __init__(
        self, subject: Subject, backend: BackendFactory | None, passes: Passes[Outcome]
    ) -> None:
        self.subject, self.backend = subject, backend
        self.outcome: Outcome | None = None
        self.next: Request | None = None
        self.rounds = 0
        self._call_s = 0.0
        self._passes = passes

    @property
    def expected_s(self) -> float:
        """The seconds of the clock that the next pass may take, by those of the last one."""
        return self._call_s * self.next.plan.capacity if self.next is not None else 0.0

    def advance(self, run: Callable[[Request], Ran], *, quiet: bool) -> None:
        """Run passes as long as they are of this kind; the first one is asked for here."""
        try:
            if self.next is None:
                self.next = next(self._passes)
            while self.next.quiet == quiet:
                ran = run(self.next)
                self._call_s = ran.record.wall_s / max(ran.record.calls, 1)
                self.next = self._passes.send(ran)
        except StopIteration as end:
            self.outcome, self.next = end.value, None
        self.rounds += 1


class _Group:
    """What the lanes of one group share."""

    def __init__(
        self,
        courses: Sequence[Course],
        counted: int,
        progress: Progress | None,
        done: int,
        total: int,
        keep: Keep | None,
    ) -> None:
        self.courses, self._counted, self._keep = courses, counted, keep
        self.stopped = threading.Event()
        self.interpreters: list[Interpreter] = []
        self._progress, self._total, self._done_before = progress, total, done
        self._waiting: SimpleQueue[Course] = SimpleQueue()
        self._round = -1
        self.line_up()

    def line_up(self) -> None:
        """Begin the next round; the longest of a quiet one go first, so that all end together."""
        self._round += 1
        if self._round == len(ROUNDS):
            return
        open_courses = [course for course in self.courses if course.outcome is None]
        if ROUNDS[self._round]:
            open_courses.sort(key=lambda course: course.expected_s, reverse=True)
        for course in open_courses:
            self._waiting.put(course)

    def take(self) -> Course | None:
        """Return the next course of this round, None where none is left or the run was stopped."""
        if self.stopped.is_set():
            return None
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def keep(self, course: Course) -> None:
        """Hand on what a course came to; what a stop broke off is no outcome."""
        if self._keep and course.outcome is not None and not self.stopped.is_set():
            self._keep(course.outcome)

    def tell(self, subject: Subject, kind: str, call: int) -> None:
        """Report a call of a pass."""
        if self._progress is None or self.stopped.is_set():
            return
        ended = sum(
            self._counted if course.outcome is not None else min(course.rounds, self._counted)
            for course in self.courses
        )
        event = Event(
            scenario=subject.scenario,
            design=subject.design,
            kind=kind,
            call=call,
            done=self._done_before + ended,
            total=self._total,
        )
        self._progress(event)


def run_lanes(
    courses: Sequence[Course],
    imported: Sequence[Subject],
    options: RunOptions,
    progress: Progress | None,
    done: int,
    total: int,
    keep: Keep | None = None,
) -> dict[str, Outcome]:
    """Run courses that share a backend to their ends; `done` of `total` designs ended before."""
    counted = 2 if options.natural else 1
    group = _Group(courses, counted, progress, done * counted, total * counted, keep)
    count = max(min(options.jobs, len(courses)), 1)
    with ThreadPoolExecutor(count, thread_name_prefix="memcurve-lane") as pool:
        barrier = threading.Barrier(count, action=group.line_up)
        lanes = [
            pool.submit(_lane, group, imported, options, barrier, number) for number in range(count)
        ]
        try:
            for lane in lanes:
                lane.result()
        except BaseException:
            group.stopped.set()
            barrier.abort()
            for interpreter in group.interpreters:
                interpreter.kill()
            raise
    return {course.subject.name: course.outcome for course in courses if course.outcome}


def _lane(
    group: _Group,
    imported: Sequence[Subject],
    options: RunOptions,
    barrier: threading.Barrier,
    number: int,
) -> None:
    try:
        backend = group.courses[0].backend
        with Interpreter.opened(imported, options.each, backend) as interpreter:
            group.interpreters.append(interpreter)
            for quiet in ROUNDS:
                if not quiet or number < (os.cpu_count() or 1):
                    _run_round(group, interpreter, quiet=quiet)
                with contextlib.suppress(threading.BrokenBarrierError):
                    barrier.wait()
    except BaseException:
        barrier.abort()
        raise


def _run_round(group: _Group, interpreter: Interpreter, *, quiet: bool) -> None:
    while (course := group.take()) is not None:
        subject = course.subject

        def run(request: Request, subject: Subject = subject) -> Ran:
            if group.stopped.is_set():
                raise Stopped
            return interpreter.run(
                subject, request, lambda kind, call: group.tell(subject, kind, call)
            )

        course.advance(run, quiet=quiet)
        group.keep(course)

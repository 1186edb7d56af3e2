"""Run one pass in a worker and bring home what it recorded, whatever happened to the worker."""

import signal
import time
from collections.abc import Callable

import msgspec

from memcurve.measure.isolation import (
    Guard,
    Message,
    Worker,
    WorkerLost,
)
from memcurve.measure.table import SharedTable
from memcurve.measure.worker.counters import COLUMNS
from memcurve.model.recording import (
    Environment,
    Failure,
    FailureKind,
    Mode,
    PassKind,
    PassRecord,
    Verification,
)
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish, Step, Survey, Verify
from memcurve.model.surveys import Surveys

BETWEEN_CALLS_S = 60.0
"""How long a set-up, or settling and looking between two calls, may take; the grace is extra."""

CLOSED = (
    "the target closed descriptors that are not its own (os.closerange?), two of which lead to "
    "memcurve,"
)

NextStep = Callable[[PassRecord], Step]
Progress = Callable[[int], None]


class PassPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to run one pass.

    Sampling may cost `allowance_s` seconds of CPU plus `share` of what the calls cost; or a row
    follows each of the first 100 calls, and then `every` so many calls. The grace
    is how long a patient settle waits for what calls left running. With `samples`, a look tells
    the beginning of a text or of bytes that stay.
    """

    kind: PassKind
    mode: Mode
    capacity: int = 4000
    allowance_s: float = 0.06
    share: float = 0.04
    every: int | None = None
    grace_s: float = 1.0
    call_timeout_s: float = 30.0
    fork: bool = True
    loop: bool = False
    samples: bool = True
    inputs: str | None = None
    gauges: dict[str, tuple[str, int]] = {}


class Session:
    """A worker with its target loaded, ready to run passes one after another."""

    def __init__(self, worker: Worker, timeout_s: float) -> None:
        self.worker, self.timeout_s = worker, timeout_s
        self.environment: Environment | None = None
        self.pass_ended = True
        self.threads = 1

    def load(self, target: Target, packages: tuple[str, ...]) -> Failure | None:
        """Import the target in the worker; return why that failed, if it did."""
        targets = {"target": target.call, "setup": target.setup, "teardown": target.teardown}
        message = {"op": "load", "paths": target.paths, "targets": targets, "packages": packages}
        answer = self.ask(message, Guard(self.worker.pid, self.timeout_s, lambda: 0))
        if isinstance(answer, Failure):
            return msgspec.structs.replace(answer, stage="import")
        self.environment = msgspec.convert(answer["environment"], Environment)
        self.threads = answer["threads"]
        return None

    def run(
        self, plan: PassPlan, next_step: NextStep, progress: Progress | None = None
    ) -> PassRecord:
        """Run one pass: after each step, `next_step` says what comes next."""
        self.pass_ended = False
        with SharedTable((*COLUMNS, *plan.gauges), plan.capacity) as table:
            return _PassRun(self, plan, table, progress).run(next_step)

    def ask(self, message: Message, guard: Guard) -> Message | Failure:
        """Send one message and return its answer, or why there is none."""
        self.worker.pipes.send(message)
        return self.receive(guard)

    def receive(self, guard: Guard) -> Message | Failure:
        """Return the next message of the worker, or how it ended or failed."""
        try:
            answer = self.worker.pipes.receive(guard)
        except WorkerLost as lost:
            self.worker.kill()
            self.pass_ended = True
            return Failure(
                stage="call", kind=_kind(lost.kind), message=lost.message, output=self.worker.tail()
            )
        if answer is None:
            self.pass_ended = True
            return ended(*self.worker.ended(), self.worker.tail())
        if answer["event"] == "exit":
            self.pass_ended = True
            if answer.get("closed"):
                return Failure(stage="call", kind="exited", message=CLOSED)
            return ended(answer["status"], answer["signal"], self.worker.tail())
        return self._failed(answer) if answer["event"] == "failed" else answer

    def _failed(self, answer: Message) -> Failure:
        fields = {key: value for key, value in answer.items() if key != "event"}
        return msgspec.convert({**fields, "output": self.worker.tail()}, Failure)


def ended(status: int | None, number: int | None, output: str) -> Failure:
    """Return the failure of a process that ended by itself or by a signal."""
    if number is not None:
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        note = " (out of memory?)" if number == signal.SIGKILL else ""
        message = f"the process was ended by {name}{note}"
        return Failure(stage="call", kind="killed", message=message, output=output)
    message = f"the process ended itself with status {status}"
    return Failure(stage="call", kind="exited", message=message, output=output)


def _kind(text: str) -> FailureKind:
    return msgspec.convert(text, FailureKind)  # type: ignore[no-any-return]


class _PassRun:
    """The conversation of one pass."""

    def __init__(
        self, session: Session, plan: PassPlan, table: SharedTable, progress: Progress | None
    ) -> None:
        self._session, self._plan, self._table = session, plan, table
        self._progress = progress
        self._began = time.monotonic()
        self._totals: dict[str, float] = {}
        self._verifications: list[Verification] = []
        self._surveys = Surveys()
        self._pid = session.worker.pid

    def run(self, next_step: NextStep) -> PassRecord:
        started = self._ask(self._opening(), stage="setup")
        if isinstance(started, Failure):
            self._drain()
            return self._record(started)
        self._pid = started["pid"]
        while True:
            step = next_step(self._record(None))
            answer = self._take(step)
            if isinstance(answer, Failure):
                self._drain()
                return self._record(answer)
            if isinstance(step, Finish):
                self._drain()
                return self._record(None)

    def _opening(self) -> Message:
        plan = self._plan
        return {
            "op": "pass",
            "kind": plan.kind,
            "mode": plan.mode,
            "fork": plan.fork,
            "loop": plan.loop,
            "inputs": plan.inputs,
            "table": self._table.path,
            "gauges": list(plan.gauges.values()),
            "grace_s": plan.grace_s,
            "samples": plan.samples,
            "allowance_s": plan.allowance_s,
            "share": plan.share,
            "every": plan.every,
        }

    def _take(self, step: Step) -> Message | Failure:
        match step:
            case Calls(to=to):
                answer = self._ask({"op": "calls", "to": to, "rows": [to]}, stage="call")
                if not isinstance(answer, Failure):
                    self._totals = {key: answer[key] for key in ("cpu_s", "wall_s", "sampling_s")}
                return answer
            case Verify():
                answer = self._ask({"op": "verify"}, stage="call")
                if not isinstance(answer, Failure):
                    answer.pop("event")
                    self._verifications.append(msgspec.convert(answer, Verification))
                return answer
            case Survey(stage=stage, options=options):
                message = {"op": "survey", "stage": stage, "options": options}
                answer = self._ask(message, stage="call")
                return answer if isinstance(answer, Failure) else self._read(stage, answer)
            case Finish():
                return self._ask({"op": "finish"}, stage="teardown")

    def _read(self, stage: str, answer: Message) -> Message | Failure:
        """Decode the answer to a survey; what the program made unreadable ends this pass alone."""
        try:
            self._surveys = self._surveys.with_answer(stage, answer["found"])
        except msgspec.ValidationError as error:
            text = f"what the pass answered at its stage {stage!r} cannot be read: {error}"
            return Failure(stage="call", kind="lost", message=text)
        return answer

    def _ask(self, message: Message, stage: str) -> Message | Failure:
        timeout_s = self._plan.call_timeout_s
        between_s = max(timeout_s, BETWEEN_CALLS_S) + self._plan.grace_s
        guard = Guard(self._pid, timeout_s, self._watch, between_s=between_s)
        answer = self._session.ask(message, guard)
        told = isinstance(answer, Failure) and answer.call is not None
        if isinstance(answer, Failure) and not told and self._may_be_a_call(answer):
            running = self._table.running_call()
            call = running if stage == "call" and running > 0 else None
            return msgspec.convert(
                {**msgspec.structs.asdict(answer), "stage": stage, "call": call}, Failure
            )
        return answer

    def _may_be_a_call(self, failure: Failure) -> bool:
        """Say whether a call did it: what was raised may be, if one had not returned."""
        ended = failure.kind in ("killed", "exited", "timeout")
        return ended or (failure.kind in ("raised", "out_of_memory") and self._table.in_call())

    def _watch(self) -> int:
        call = self._table.running_call()
        if self._progress is not None:
            self._progress(call)
        return call if self._table.in_call() else -call

    def _drain(self) -> None:
        """Read the line that says that the fork of this pass ended."""
        if not self._session.pass_ended:
            self._session.receive(Guard(self._pid, 5.0, lambda: 0))

    def _record(self, failure: Failure | None) -> PassRecord:
        samples = self._table.samples()
        return PassRecord(
            kind=self._plan.kind,
            mode=self._plan.mode,
            samples=samples,
            verifications=tuple(self._verifications),
            surveys=self._surveys,
            failure=failure,
            isolation="fork" if self._plan.fork else "spawn",
            calls=samples.calls[-1] if samples.calls else 0,
            cpu_s=self._totals.get("cpu_s", 0.0),
            wall_s=self._totals.get("wall_s", 0.0),
            sampling_s=self._totals.get("sampling_s", 0.0),
            elapsed_s=time.monotonic() - self._began,
        )

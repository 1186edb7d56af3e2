"""What is in flight at the last row is counted, also where it ended before anybody looked."""

import time
from pathlib import Path

from memcurve.model.effort import Effort
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.run.interpreter import Interpreter
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Request, Subject, settled_request

WAITS_FOR_A_FILE = """
import asyncio, os
TASKS = set()

async def wait():
    load = bytes(100_000)
    while not os.path.exists({go!r}):
        await asyncio.sleep(0.001)
    return len(load)

async def call():
    task = asyncio.ensure_future(wait())
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
"""
CALLS, LOAD = 4, 100_000


def test_work_that_became_due_after_the_last_row_was_in_flight_at_it(tmp_path: Path) -> None:
    go, file = tmp_path / "go", tmp_path / "waits.py"
    file.write_text(WAITS_FOR_A_FILE.format(go=str(go)))
    subject = Subject(target=Target(call=f"{file}:call"))

    def decide(record: PassRecord) -> Step:
        if record.calls < CALLS:
            return Calls(to=CALLS)
        if record.verifications:
            return Finish()
        go.touch()
        time.sleep(0.05)  # all that waits is due by now, and ends at the loop's next turn
        return Verify()

    def asked() -> Passes[PassRecord]:
        request = settled_request(subject.target, Options(), Effort(), "settled")
        return (yield Request(plan=request.plan, decide=decide, label="settled")).record

    with Interpreter.opened([subject], Options()) as interpreter:
        record = interpreter.drive(subject, asked())
    (proof,) = record.verifications
    assert record.failure is None
    assert CALLS * LOAD <= proof.waited_bytes <= proof.released_bytes + 1000
    assert proof.in_flight.tasks == 0

"""A job: designs that some machine measures for a run of another one, as text both ways.

What is sent are paths, names and options; no code and no pickle of ours. `measured_here` is what an
executor runs. It starts a process of its own for each job: what the executor's process has loaded
and how many threads it has then disturbs nothing, and a scenario file that changed is read anew.
That process ends with whoever started it.
"""

import _thread
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from memcurve.measure.scratch import scratch
from memcurve.model.errors import MeasureError, MemcurveError
from memcurve.model.findings import Explanation
from memcurve.model.outcome import Outcome
from memcurve.model.recording import Recording
from memcurve.model.text import printable
from memcurve.model.thresholds import Thresholds
from memcurve.run.discovery import discover, only
from memcurve.run.options import Explain, Options, RunOptions
from memcurve.run.scenarios import run_scenarios

ENDING_S = 10.0
"""How long a process whose job nobody wants any more may take to end what it started."""
TAIL_CHARACTERS = 2000
_turn = threading.Lock()
"""Jobs of one worker process take turns, however many threads it has: each has the machine."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Designs of one scenario to measure, found in `paths`; all paths are absolute."""

    cwd: str
    paths: tuple[str, ...]
    scenario: str
    designs: tuple[str, ...]
    calls: int | None
    natural: bool
    explain: Explain
    judge_all: bool
    samples: bool
    thresholds: Thresholds
    baselines: str | None
    flame_graphs: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names ``scenario/design`` of what it measures."""
        return tuple(f"{self.scenario}/{design}" for design in self.designs)


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What measuring one design came to; judging it again says the same."""

    recording: Recording
    explanation: Explanation | None
    flame_graph: bytes = b""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All designs of a job, or why none could be measured there."""

    brought: tuple[Brought, ...] = ()
    refused: str = ""


def measured_here(job: bytes) -> bytes:
    """Measure a job in a process of its own; both are JSON. Run by executors.

    Raises ChildProcessError where that process ends without an answer.
    """
    with _turn, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "memcurve.run.jobs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(job + b"\n")
            process.stdin.flush()  # and stays open: its end tells that nobody waits any more
            answer = process.stdout.read()
        except OSError:
            answer = b""  # it is gone before it read anything, and says why below
        finally:
            _close(process)
        if process.returncode == 0 and answer:
            return answer
        said.seek(0)
        words = printable(said.read().decode("utf-8", "replace")).strip()[-TAIL_CHARACTERS:]
    last = words.splitlines()[-1] if words else "without a word"
    raise ChildProcessError(f"the process of a job ended with {process.returncode}: {last}")


def _close(process: "subprocess.Popen[bytes]") -> None:
    """End the process of a job; one that does not end in time is killed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    try:
        process.wait(ENDING_S + 1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answered(job: Job) -> Answer:
    """Measure a job in this process."""
    try:
        os.chdir(job.cwd)
        outcomes = _outcomes(job)
    except MemcurveError as error:
        return Answer(refused=str(error))
    except OSError as error:
        what = f"{error.filename or job.cwd}: {error.strerror}"
        return Answer(refused=f"{what}; what is measured is at the same path on every machine")
    return Answer(brought=tuple(_brought(one) for one in outcomes))


def _outcomes(job: Job) -> list[Outcome]:
    found = discover([Path(path) for path in job.paths])
    chosen = [only(one, job.designs) for one in found if one.name == job.scenario]
    known = [design for one in chosen for design in one.designs]
    for design in job.designs:
        if design not in known:
            raise MeasureError(
                f"{job.scenario}/{design} is in none of {', '.join(job.paths)} on "
                f"{platform.node()}; have the same revision on every machine"
            )
    options = RunOptions(
        calls=job.calls,
        jobs=1,
        natural=job.natural,
        explain=job.explain,
        baselines=Path(job.baselines) if job.baselines is not None else None,
        flame_graphs=_graphs() if job.flame_graphs else None,
        judge_all=job.judge_all,
        each=Options(samples=job.samples, thresholds=job.thresholds),
    )
    return run_scenarios(chosen, options, None, found)


def _graphs() -> Path:
    return scratch() / "flamegraphs"


def _brought(outcome: Outcome) -> Brought:
    explanation, graph = outcome.explanation, b""
    if explanation is not None and explanation.flame_graph:
        path = Path(explanation.flame_graph)
        graph = path.read_bytes() if path.is_file() else b""
    recording = msgspec.structs.replace(outcome.recording, host=host_here())
    return Brought(recording=recording, explanation=explanation, flame_graph=graph)


def host_here() -> str:
    """Return what tells this machine from another one, and not its name."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _end_with_the_asker() -> None:
    """Wait until nobody holds the other end of standard input, and end as by Ctrl-C."""
    while os.read(0, 4096):
        continue
    _thread.interrupt_main()
    time.sleep(ENDING_S)
    os._exit(1)


def main() -> None:
    """Read a job from standard input, measure it, and write the answer to standard output."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what scenario files and backends print is no answer
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return
        line += piece
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    answer = answered(msgspec.json.decode(line, type=Job))
    with os.fdopen(answers, "wb") as file:
        file.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()

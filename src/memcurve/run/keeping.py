"""Store each design as soon as it is measured, and take up a run where it was left.

Whatever ends a run, be it a signal, a full disk or the loss of the machine, what it had measured
stays. `memcurve run --resume` then measures what is missing.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from memcurve.model.errors import RecordingError
from memcurve.model.outcome import Outcome
from memcurve.model.recording import timestamp
from memcurve.model.scenario import Scenario
from memcurve.run.discovery import only
from memcurve.run.scenarios import judged
from memcurve.store.files import load_recording, recording_path
from memcurve.store.findings import load_outcome, save_outcomes
from memcurve.store.unfinished import (
    Unfinished,
    forget_unfinished,
    load_unfinished,
    save_unfinished,
)

MOST_NAMED = 5


def some_of(names: Sequence[str]) -> str:
    """Return the first few names, for a line."""
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")


class Keeping:
    """The outcomes of a run: those that were there before, and each new one as it comes.

    `complaint` says why some could not be stored, up to the command that measures those again.
    Measuring goes on then, for the table.
    """

    def __init__(self, out: Path, scenarios: Sequence[Scenario], asked: str) -> None:
        self.complaint = ""
        self._unstored: list[str] = []
        self._out, self._scenarios = out, scenarios
        self._outcomes: dict[str, Outcome] = {}
        self._lock = threading.Lock()
        names = tuple(f"{one.name}/{design}" for one in scenarios for design in one.designs)
        self._state = Unfinished(begun_at=timestamp(), asked=asked, designs=names)

    def begin(self) -> None:
        """Say on disk that a run has begun."""
        save_unfinished(self._out, self._state)

    def resume(self) -> None:
        """Take over what the last run stored; raises RecordingError where nothing can be."""
        left = load_unfinished(self._out)
        if left is None:
            raise RecordingError(
                f"nothing to resume in {self._out}: the last run there is complete, or there was "
                "none; run without --resume"
            )
        if left.asked != self._state.asked:
            raise RecordingError(
                f"the run in {self._out} was begun with {left.asked}, this one with "
                f"{self._state.asked}; resume it as it was begun, or run without --resume"
            )
        done = set(left.done)
        for one in self._scenarios:
            for design in one.designs:
                path = recording_path(self._out, one.name, design)
                if f"{one.name}/{design}" in done and path.exists():
                    outcome = load_outcome(self._out, load_recording(path), judged)
                    self._outcomes[f"{one.name}/{design}"] = outcome
        kept = tuple(name for name in self._state.designs if name in self._outcomes)
        self._state = msgspec.structs.replace(self._state, begun_at=left.begun_at, done=kept)

    def __call__(self, outcome: Outcome) -> None:
        """Store one outcome; called from the lanes of a run."""
        name = f"{outcome.recording.scenario}/{outcome.recording.design}"
        with self._lock:
            self._outcomes[name] = outcome
            try:
                save_outcomes(self._out, [outcome], scenarios=self._scenarios)
                done = (*self._state.done, name)
                state = msgspec.structs.replace(self._state, done=done)
                save_unfinished(self._out, state)
                self._state = state
            except OSError as error:
                self._unstored.append(name)
                why = f"{error.filename}: {error.strerror}"
                self.complaint = f"{why}; not stored: {some_of(self._unstored)}; make room, then"

    @property
    def missing(self) -> tuple[Scenario, ...]:
        """The scenarios with the designs that were not measured yet."""
        left = ((one, self._left(one)) for one in self._scenarios)
        return tuple(only(one, names) for one, names in left if names)

    def _left(self, one: Scenario) -> list[str]:
        return [name for name in one.designs if f"{one.name}/{name}" not in self._outcomes]

    @property
    def missing_names(self) -> list[str]:
        """Their names, ``scenario/design``."""
        return [name for name in self._state.designs if name not in self._outcomes]

    @property
    def outcomes(self) -> list[Outcome]:
        """What was measured, in the order of the scenarios."""
        return [self._outcomes[name] for name in self._state.designs if name in self._outcomes]

    def complete(self) -> None:
        """Everything is measured: nothing is left to resume, unless it could not be stored."""
        if not self.missing_names and not self.complaint:
            forget_unfinished(self._out)

"""Ask which long-lived objects lose a reference at each call, where everything is asked for."""

from memcurve.model.recording import PassRecord, Recording
from memcurve.model.steps import Calls, Finish, Step, Survey
from memcurve.model.surveys import LostReference
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Request, Subject, natural_plan

WARM, MOST, WINDOWS, SECONDS = 25, 100, 5, 1.0
"""Calls before anything is counted; calls in a window at most, and windows; seconds for all of
them. Chosen: a window of 100 tells one reference in 20 calls from none."""
LEAST = 10
"""Calls in a window below which nothing is asked: what is rare would look steady."""


def lost_references(
    recording: Recording, subject: Subject, options: Options, seconds: float
) -> Passes[tuple[LostReference, ...] | None]:
    """Run a pass that counts references; None where its calls do not fit into `seconds`."""
    settled = recording.of("settled")
    if settled is None or settled.failure is not None or not settled.calls:
        return None
    call_s = max(settled.wall_s / settled.calls, 1e-6)
    window = min(int(min(SECONDS, seconds) / call_s / WINDOWS), MOST)
    if window < LEAST:
        return None
    ran = yield _request(subject, options, window)
    return ran.record.surveys.references


def _request(subject: Subject, options: Options, window: int) -> Request:
    def decide(record: PassRecord) -> Step:
        if record.calls < WARM:
            return Calls(to=WARM)
        if record.surveys.references is None:
            return Survey(stage="references", options={"calls": window})
        return Finish()

    plan = natural_plan(subject.target, options, WARM)
    return Request(plan=plan, decide=decide, label="references")

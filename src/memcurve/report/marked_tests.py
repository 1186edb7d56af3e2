"""How the reports name tests of pytest: by their nodes, where scenarios have designs."""

import msgspec

from memcurve.model.outcome import Outcome, Run


def file_of(test: str) -> str:
    """Return the file of a test's node, "" where there is no test."""
    return test.partition("::")[0]


def test_name(test: str) -> str:
    """Return what stands after the file in a test's node: the test in its class."""
    return test.partition("::")[2] or test


def with_test_names(run: Run) -> Run:
    """Return a run in which the one design of a test bears the test's name."""
    renamed = (_renamed(one, run.tests.get(one.recording.scenario, "")) for one in run.outcomes)
    return msgspec.structs.replace(run, outcomes=tuple(renamed))


def _renamed(outcome: Outcome, test: str) -> Outcome:
    if not test:
        return outcome
    recording = msgspec.structs.replace(outcome.recording, design=test_name(test))
    outcome = msgspec.structs.replace(outcome, recording=recording)
    if outcome.comparison is None:
        return outcome
    crossings = tuple(
        msgspec.structs.replace(one, design=test_name(test), test=test)
        for one in outcome.comparison.crossings
    )
    comparison = msgspec.structs.replace(outcome.comparison, crossings=crossings)
    return msgspec.structs.replace(outcome, comparison=comparison)

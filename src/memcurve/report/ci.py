"""A run in the forms that CI systems read: JUnit XML, and github-action-benchmark's JSON."""

import json
from collections.abc import Mapping
from xml.etree import ElementTree

from memcurve.compare.metrics import METRICS, metrics_of
from memcurve.model.outcome import Outcome, Run
from memcurve.report.crossings import crossing_message

_UNITS = {"bytes": "B", "count": "count", "seconds": "s"}


def junit_xml(run: Run) -> bytes:
    """Return one test case a design: failed where it crossed a threshold or was not measured."""
    suite = ElementTree.Element("testsuite", name="memcurve", tests=str(len(run.outcomes)))
    suite.set("time", f"{run.elapsed_s:.1f}")
    failures = errors = 0
    for outcome in run.outcomes:
        case = _case(suite, outcome, run.tests)
        messages = [crossing_message(crossing) for crossing in outcome.crossings]
        failure = outcome.recording.failure
        if messages:
            failures += 1
            element = ElementTree.SubElement(case, "failure", message=messages[0])
            element.text = "\n".join(messages)
        elif failure is not None:
            errors += 1
            ElementTree.SubElement(case, "error", message=failure.message)
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text


def _case(
    suite: ElementTree.Element, outcome: Outcome, tests: Mapping[str, str]
) -> ElementTree.Element:
    recording = outcome.recording
    seconds = sum(one.elapsed_s for one in recording.passes)
    file, _, test = tests.get(recording.scenario, "").partition("::")
    return ElementTree.SubElement(
        suite,
        "testcase",
        classname=file or recording.scenario,
        name=test or recording.design,
        time=f"{seconds:.2f}",
    )


def action_benchmark_json(run: Run) -> bytes:
    """Return every measured figure as {name, unit, value}; smaller is better for all of them."""
    entries = []
    for outcome in run.outcomes:
        metrics, name = metrics_of(outcome), _name(outcome, run.tests)
        for metric in METRICS:
            value = metrics.get(metric)
            if value is not None:
                unit = _UNITS[metric.unit] + ("/call" if metric.per_call else "")
                entries.append({"name": f"{name} {metric.title}", "unit": unit, "value": value})
    return json.dumps(entries, indent=1).encode() + b"\n"


def _name(outcome: Outcome, tests: Mapping[str, str]) -> str:
    node = tests.get(outcome.recording.scenario, "")
    return node or f"{outcome.recording.scenario}/{outcome.recording.design}"

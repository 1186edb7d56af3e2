"""Every object that programs read, by the name of its schema in docs/schema."""

import msgspec

from memcurve.model.baseline import BASELINE_VERSION, Baseline
from memcurve.model.diagnosis import DIAGNOSIS_VERSION, Diagnosis
from memcurve.model.recording import SCHEMA_VERSION, Recording
from memcurve.report.json.accepted import ACCEPTED_VERSION, Accepted
from memcurve.report.json.check import CheckShape
from memcurve.report.json.comparison import COMPARISON_VERSION, ComparisonShape, RevisionsShape
from memcurve.report.json.explained import EXPLAINED_VERSION, Explained
from memcurve.report.json.summary import SUMMARY_VERSION, SummaryShape
from memcurve.store.findings import FINDINGS_VERSION, Findings

SHAPES: dict[str, type[msgspec.Struct]] = {
    f"recording-v{SCHEMA_VERSION}": Recording,
    f"baseline-v{BASELINE_VERSION}": Baseline,
    f"check-v{SCHEMA_VERSION}": CheckShape,
    f"summary-v{SUMMARY_VERSION}": SummaryShape,
    f"findings-v{FINDINGS_VERSION}": Findings,
    f"comparison-v{COMPARISON_VERSION}": ComparisonShape,
    f"revisions-v{COMPARISON_VERSION}": RevisionsShape,
    f"accepted-v{ACCEPTED_VERSION}": Accepted,
    f"explained-v{EXPLAINED_VERSION}": Explained,
    f"diagnosis-v{DIAGNOSIS_VERSION}": Diagnosis,
}


def schema_of(name: str) -> bytes:
    """Return the JSON Schema of one of `SHAPES` as indented text."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(SHAPES[name])), indent=1)

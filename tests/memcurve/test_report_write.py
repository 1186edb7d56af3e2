"""All reports of a run land in one folder, whole or not at all, and load late what they need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from memcurve.report.write import write_all
from tests.memcurve.sample_run import crossed_run

HEAVY = ("matplotlib", "jinja2", "rich", "numpy", "memray", "pytest", "objgraph")


def test_all_reports_are_written_beside_each_other(tmp_path: Path) -> None:
    found = write_all(crossed_run(), tmp_path / "reports", formats=("png", "svg"))
    written = found.paths
    assert (found.first, found.complaint) == (written[0], "")
    assert [path.name for path in written] == [
        "index.html",
        "summary.json",
        "summary.md",
        "rag_client.png",
        "rag_client.svg",
    ]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(
        path.name for path in written
    )
    assert json.loads(written[1].read_text(encoding="utf-8"))["passed"] is False


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "index.html"
    old.write_text("old", encoding="utf-8")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(f"no space left for {target.name}")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match=r"index\.html"):
        write_all(crossed_run(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert old.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("package", "written", "missing"),
    [
        ("jinja2", ["summary.json", "summary.md", "rag_client.png"], "no page (jinja2 is missing)"),
        (
            "matplotlib",
            ["index.html", "summary.json", "summary.md"],
            "no pictures (matplotlib is missing)",
        ),
    ],
)
def test_without_the_extra_the_rest_is_written_and_that_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    written: list[str],
    missing: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what an import of it finds: nothing
    found = write_all(crossed_run(), tmp_path)
    assert [path.name for path in found.paths] == written
    assert found.complaint.startswith(missing)
    assert "pip install 'memcurve[report]'" in found.complaint


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import memcurve",
        "from memcurve import check, scenario, Verdict",
        "import memcurve.report.view, memcurve.report.text, memcurve.report.json.summary",
        "import memcurve.report.write, memcurve.report.html, memcurve.report.table",
    ],
)
def test_nothing_heavy_is_loaded_before_it_draws(statement: str) -> None:
    assert not loaded_by(statement) & set(HEAVY)


def test_reports_do_not_load_what_measures() -> None:
    code = (
        "import pkgutil, importlib, memcurve.report as package\n"
        "for one in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(f'memcurve.report.{one.name}')\n"
        "bad = {'memcurve.measure', 'memcurve.check', 'memcurve.api', 'memcurve.explaining'}\n"
        "assert not bad & set(sys.modules), bad & set(sys.modules)"
    )
    assert "memcurve" in loaded_by(code)

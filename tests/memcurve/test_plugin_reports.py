"""A report of a session that cannot be written is found out first, or costs a line."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest
KEPT = []
@pytest.mark.memcurve
def test_clean(): pass
def test_fails(): assert 1 == 2, "what everybody must read"
def test_spoils():
    import pathlib, shutil
    shutil.rmtree("report")
    pathlib.Path("report").write_text("in the way")
"""


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TESTS)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_place_where_no_report_can_be_written_is_found_out_first(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run_pytest(tmp_path, "--memcurve-report", "taken")
    assert done.returncode == 4
    assert "taken cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr
    assert "test_clean" not in done.stdout


def test_a_report_that_cannot_be_written_leaves_the_failures_to_be_read(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--memcurve-report", "report", "--memcurve-quick")
    assert done.returncode == 1
    assert "what everybody must read" in done.stdout
    assert "memcurve: no report: " in done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr


def test_a_recording_that_cannot_be_kept_fails_no_test(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items): items.reverse()\n"
    )
    done = run_pytest(tmp_path, "--memcurve-report", "report", "--memcurve-quick")
    assert done.returncode == 1
    assert "1 failed, 2 passed" in done.stdout
    assert "memcurve: " in done.stdout


ODD = """
import pytest
@pytest.mark.memcurve
@pytest.mark.parametrize("x", [1, 2], ids=["../../x\\x1b[31m", "w" * 3000])
def test_odd(x): pass
"""


def test_a_name_that_no_file_can_have_is_recorded_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "test_odd.py").write_text(ODD)
    done = run_pytest(
        tmp_path / "folder", "--memcurve-report", "report", "--memcurve-quick", "test_odd.py"
    )
    assert done.returncode == 0, done.stdout
    assert len(list((tmp_path / "folder" / "report" / "recordings").glob("*/test.json"))) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]

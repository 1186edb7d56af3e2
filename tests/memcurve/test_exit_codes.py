"""Each exit code means one thing, provoked from outside: the table in docs/exit-codes.md."""

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest

from memcurve.measure.isolation import BOOT
from tests.memcurve.outside import COMMAND, SCENARIOS, memcurve, one_line, written


def declared(designs: str, more: str = "") -> str:
    return f"import memcurve\nodd = memcurve.scenario('odd', {{{designs}}}, calls=50, {more})\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("raise SystemExit(0)", "odd.py ended the process", id="ends"),
        pytest.param("import sys\nsys.exit()", "odd.py ended the process", id="exits"),
        pytest.param("raise GeneratorExit", "odd.py ended the process", id="generator-exit"),
        pytest.param("1 / 0", "cannot be imported: ZeroDivisionError", id="raises"),
        pytest.param(
            declared(
                "'a': 'jobs.py:clean', 'b': 'jobs.py:clean'",
                "leads=(memcurve.Lead(design='a', over='b', at_most={'nonsense': 0.5}),)",
            ),
            "no counter 'nonsense'; there are live_bytes",
            id="no-counter",
        ),
        pytest.param(
            declared(
                "'a': 'jobs.py:clean', 'b': 'jobs.py:clean'",
                "leads=(memcurve.Lead(design='a', over='b', at_most={'fds': float('nan')}),)",
            ),
            "at_most fds is nan",
            id="no-share",
        ),
        pytest.param(declared("'../../x': 'jobs.py:clean'"), "another folder", id="parent"),
        pytest.param(declared("'/tmp/x': 'jobs.py:clean'"), "another folder", id="absolute"),
        pytest.param(declared("'.': 'jobs.py:clean'"), "another folder", id="dot"),
        pytest.param(declared("'a\\nb': 'jobs.py:clean'"), "cannot be printed", id="line-feed"),
        pytest.param(declared("'a\\x1b[1m': 'jobs.py:clean'"), "cannot be printed", id="escape"),
        pytest.param(declared("'\\udcff': 'jobs.py:clean'"), "cannot be printed", id="surrogate"),
        pytest.param(declared("'' : 'jobs.py:clean'"), "it is empty", id="empty"),
        pytest.param(declared("'a' * 10000: 'jobs.py:clean'"), "10,000 characters", id="long"),
    ],
)
def test_a_scenario_file_that_cannot_be_run_ends_with_2_before_anything_is_measured(
    tmp_path: Path, text: str, said: str
) -> None:
    written(tmp_path, odd=text)
    done = memcurve(tmp_path, "run", "odd.py", "-q")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in one_line(done.stderr)
    assert not (tmp_path / "reports").exists()


GAUGED = """
import contextlib, memcurve, pathlib, struct
@contextlib.contextmanager
def beside():
    pathlib.Path("gauges").write_bytes(struct.pack("q", 3))
    yield memcurve.Backend(gauges={"orders": ("gauges", 0)})
odd = memcurve.scenario(
    "odd", {"a": "jobs.py:clean", "b": "jobs.py:clean"}, calls=50, backend=beside,
    leads=(memcurve.Lead(design="a", over="b", at_most={"COUNTER": 0.5}),),
)
"""


@pytest.mark.parametrize(("counter", "code"), [("orders", 0), ("ordres", 2)])
def test_a_lead_in_what_no_backend_counts_ends_with_2(
    tmp_path: Path, counter: str, code: int
) -> None:
    written(tmp_path, odd=GAUGED.replace("COUNTER", counter))
    done = memcurve(tmp_path, "run", "odd.py", "-q", "--quick")
    assert done.returncode == code
    if code:
        assert "no counter 'ordres' for a lead; there are orders, " in one_line(done.stderr)


def test_a_target_that_is_gone_ends_with_2_also_where_it_may_grow(tmp_path: Path) -> None:
    written(tmp_path, odd=declared("'a': 'jobs.py:gone'", "may_grow=('a',)"))
    done = memcurve(tmp_path, "run", "odd.py", "-q", "--quick")
    assert done.returncode == 2
    assert "1 could not be measured" in done.stdout
    written(tmp_path, odd=declared("'a': 'jobs.py:out_of_memory'", "may_grow=('a',)"))
    done = memcurve(tmp_path, "run", "odd.py", "-q", "--quick")
    assert done.returncode == 0, "it ran, and ended as what may grow may end"


@pytest.mark.parametrize("function", ["surrogate", "rings", "odd_class", "mute"])
def test_a_design_that_fails_in_odd_words_leaves_the_healthy_ones_alone(
    tmp_path: Path, function: str
) -> None:
    odd = declared(f"'a': 'jobs.py:{function}'")
    written(tmp_path, good=SCENARIOS, odd=odd)
    done = memcurve(tmp_path, "run", "good.py", "odd.py", "-q", "--quick")
    assert (done.returncode, done.stderr) == (2, "")
    assert "1 could not be measured: odd/a could not be measured: call 1 raised" in done.stdout
    assert done.stdout.isprintable() or all(c.isprintable() or c == "\n" for c in done.stdout)
    assert {path.name for path in (tmp_path / "reports" / "recordings" / "healthy").iterdir()} == {
        "a.json",
        "b.json",
    }
    for name in ("index.html", "summary.md", "summary.json", "healthy.png", "odd.png"):
        assert (tmp_path / "reports" / name).stat().st_size > 0
    assert memcurve(tmp_path, "report").returncode == 2


def test_text_is_drawn_as_it_is_in_any_locale(tmp_path: Path) -> None:
    text = declared(
        "'a \\\\bad $x^^y$ thing': 'jobs.py:clean', '<b>&{{7*7}}|`': 'jobs.py:clean'",
        "description='a \\\\bad $x^^y$ <i>\\udcff\\x1b[31m' + 'w' * 10000",
    )
    written(tmp_path, odd=text)
    done = memcurve(
        tmp_path, "run", "odd.py", "-q", "--quick", LC_ALL="C", PYTHONIOENCODING="ascii"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "a \\bad $x^^y$ thing" in done.stdout
    page = (tmp_path / "reports" / "index.html").read_text()
    assert "&lt;b&gt;&amp;{{7*7}}|`" in page
    assert "<b>&" not in page
    assert "\x1b" not in page


def test_a_full_disk_costs_one_line_and_not_the_table(tmp_path: Path) -> None:
    written(tmp_path, good=SCENARIOS)
    assert memcurve(tmp_path, "run", "good.py", "-q", "--quick").returncode == 0
    (tmp_path / "reports" / "summary.md").unlink()
    (tmp_path / "reports" / "summary.md").mkdir()  # what cannot be replaced by a file
    done = memcurve(tmp_path, "run", "good.py", "-q", "--quick")
    assert done.returncode == 2
    assert "no threshold crossed" in done.stdout
    assert "summary.md" in one_line(done.stderr)


def test_what_cannot_be_stored_is_shown_all_the_same_and_measured_again(tmp_path: Path) -> None:
    written(tmp_path, good=SCENARIOS)
    recordings = tmp_path / "reports" / "recordings"
    recordings.mkdir(parents=True)
    (recordings / "healthy").write_text("in the way")
    done = memcurve(tmp_path, "run", "good.py", "-q", "--quick")
    assert done.returncode == 2
    assert "no threshold crossed" in done.stdout
    assert "recordings/healthy/" in one_line(done.stderr)
    assert one_line(done.stderr).endswith(
        "make room, then: memcurve run good.py -q --quick --resume"
    )
    (recordings / "healthy").unlink()
    assert memcurve(tmp_path, "run", "good.py", "-q", "--quick", "--resume").returncode == 0
    assert len(list(recordings.glob("healthy/*.json"))) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_standard_output_that_takes_nothing_is_one_line(tmp_path: Path) -> None:
    written(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "doctor"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left" in one_line(done.stderr)


@pytest.mark.parametrize("option", ["--out", "--junit"])
def test_a_place_for_reports_is_tried_before_measuring(tmp_path: Path, option: str) -> None:
    written(tmp_path, good=SCENARIOS)
    (tmp_path / "taken").write_text("a file")
    done = memcurve(tmp_path, "run", "good.py", option, "taken/reports/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "taken/reports" in one_line(done.stderr)  # and no line of progress before it


def test_codes_of_a_check(tmp_path: Path) -> None:
    written(tmp_path)
    assert memcurve(tmp_path, "check", "jobs.py:clean", "-q").returncode == 0
    assert memcurve(tmp_path, "check", "jobs.py:leaks", "-q", "--no-explain").returncode == 1
    assert memcurve(tmp_path, "check", "jobs.py:gone", "-q").returncode == 2
    assert memcurve(tmp_path, "check", "--nonsense").returncode == 2
    assert memcurve(tmp_path, "nonsense").returncode == 2
    done = memcurve(tmp_path, "check", "jobs.py:leaks", "--calls", "5", "-q", "--no-explain")
    assert done.returncode == 3


def test_a_fault_of_ours_is_one_line_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import memcurve.run.doctor as doctor\n"
        "def broken(*_, **__): raise KeyError('of our own')\n"
        "for name in list(vars(doctor)):\n"
        "    if callable(getattr(doctor, name)) and not name.startswith('__'):\n"
        "        setattr(doctor, name, broken)\n"
    )
    done = memcurve(tmp_path, "doctor", PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == 2
    assert "a fault of memcurve itself: KeyError" in one_line(done.stderr)
    (report,) = tmp_path.glob("memcurve-fault-*.txt")
    assert "KeyError: 'of our own'" in report.read_text()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("generator_exit", "call 1 raised GeneratorExit"),
        ("mute", "call 1 raised Mute: its message cannot be read, RuntimeError"),
        ("out_of_memory", "call 4 raised MemoryError: of all things"),
        ("rings", "call 1 raised ValueError: \\x1b[31mred\\x07"),
        ("surrogate", "call 1 raised ValueError: cannot read file \\udcff"),
        ("closes_all", "(os.closerange?), two of which lead to memcurve, in call 1"),
        ("patches_len", "the target replaced builtins.len, which memcurve needs"),
        ("patches_json", "the target replaced json.dumps, json.loads, which memcurve needs"),
        ("patches_time", "the target replaced time."),
    ],
)
def test_what_a_target_does_to_its_process_is_named(
    tmp_path: Path, function: str, said: str
) -> None:
    done = memcurve(written(tmp_path), "check", f"jobs.py:{function}", "-q")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in one_line(done.stderr)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"1\n\xff\n", "can't decode byte 0xff"),
        (b"1\n[[[\n", "line 2: Expecting value"),
        (b"1\n" + b"[" * 100_000, "line 2: maximum recursion depth exceeded"),
        (b"\n\n", "has no lines"),
    ],
    ids=["absent", "utf-8", "json", "deep", "empty"],
)
def test_inputs_that_cannot_be_read_are_one_line(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    written(tmp_path)
    if content is not None:
        (tmp_path / "cases.jsonl").write_bytes(content)
    done = memcurve(tmp_path, "check", "jobs.py:clean", "--inputs", "cases.jsonl", "-q")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in one_line(done.stderr)
    assert "cases.jsonl" in one_line(done.stderr)


def test_the_worker_tells_a_python_that_is_too_old_what_it_needs() -> None:
    tree = ast.parse(BOOT.read_text(), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    assert "annotations" not in BOOT.read_text(), "no __future__ that CPython 3.6 has not"
    names: dict[str, object] = {"__name__": "boot"}
    exec(compile(tree, str(BOOT), "exec"), names)
    read_fd, write_fd = os.pipe()
    try:
        names["refuse"](write_fd, (3, 6, 15))  # type: ignore[operator]
        told = json.loads(os.read(read_fd, 4096))
    finally:
        os.close(read_fd)
        os.close(write_fd)
    assert told["message"].startswith("CPython 3.8 and newer can be measured, and this is 3.6;")
    assert (told["event"], told["stage"], told["kind"]) == ("failed", "import", "target")

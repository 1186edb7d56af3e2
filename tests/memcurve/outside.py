"""Run memcurve as others do: a process of its own in a folder with a few small files."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "memcurve"]

JOBS = r"""
import os, time
KEPT = []
def clean(number): return [number]
def clean_too(number): return [number] * 3
def leaks(number): KEPT.append(bytes(1000))
def surrogate(number): raise ValueError("cannot read file \udcff")
def rings(number): raise ValueError("\x1b[31mred\x07")
def sleeps(number): time.sleep(0.02)
def generator_exit(number): raise GeneratorExit
def out_of_memory(number):
    if number == 3: raise MemoryError("of all things")
class Mute(Exception):
    def __str__(self): raise RuntimeError("no words")
def mute(number): raise Mute
def closes_all(number): os.closerange(0, 256)
def patches_len(number):
    import builtins
    builtins.len = None
def patches_json(number):
    import json
    json.dumps = json.loads = None
def patches_time(number): time.perf_counter = time.process_time_ns = time.monotonic = None
def odd_class(number):
    raise type("Odd\x1b[1m", (Exception,), {})("no")
"""

SCENARIOS = """
import memcurve
healthy = memcurve.scenario("healthy", {"a": "jobs.py:clean", "b": "jobs.py:clean_too"}, calls=50)
"""


def written(folder: Path, **files: str) -> Path:
    """Write the jobs, and files named by keyword, into a folder; return it."""
    (folder / "jobs.py").write_text(JOBS)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def memcurve(
    folder: Path, *arguments: str, seconds: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Return how a command ended that ran in a folder, and what it printed."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=seconds,
        check=False,
    )


def one_line(text: str) -> str:
    """Return what is said on standard error; fails where that is a traceback or nothing."""
    assert "Traceback" not in text, text
    lines = [line for line in text.splitlines() if line.startswith("memcurve: ")]
    assert len(lines) == 1, text
    return lines[0].removeprefix("memcurve: ")

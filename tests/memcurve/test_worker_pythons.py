"""The worker runs in every CPython from 3.8 on, without anything installed there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VERSIONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
TARGETS = """
import asyncio

KEPT = [None] * 4000


def leaks(number):
    KEPT[number] = bytes(1000)


async def leaks_asynchronously(number):
    await asyncio.sleep(0)
    KEPT[number] = bytes(1000)


def clean():
    return [str(number) for number in range(50)]


async def clean_asynchronously():
    await asyncio.sleep(0)
"""


def interpreter(version: str) -> str:
    """Return an interpreter of a version that really starts, or skip."""
    installed = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
    for path in (shutil.which(f"python{version}"), *sorted(map(str, installed))):
        if path is None:
            continue
        asked = [path, "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    pytest.skip(f"there is no CPython {version} here")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "code"), [("leaks_asynchronously", 1), ("clean", 0), ("clean_asynchronously", 0)]
)
def test_every_version_counts_to_the_byte(
    tmp_path: Path, version: str, name: str, code: int
) -> None:
    python = interpreter(version)
    (tmp_path / "targets.py").write_text(TARGETS)
    command = [sys.executable, "-m", "memcurve", "check", f"targets.py:{name}", "--json"]
    done = subprocess.run(
        [*command, "--python", python, "--budget", "120"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["environment"]["python"].startswith(version + ".")
    if code:
        # 1,033 bytes and malloc's own 8, in blocks of 16
        assert found["retained"]["bytes_per_call"] == pytest.approx(1056, rel=0.02)
        assert found["retained"]["low"] <= 1056 <= found["retained"]["high"]
    else:
        assert found["retained"]["bytes_per_call"] == pytest.approx(0, abs=2)

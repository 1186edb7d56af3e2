"""The text of a project's first scenario, its test, and the job that runs both.

What is written works as it stands: a test runs each command of the written job, in a folder with
nothing else in it.
"""

import sys
import tomllib
from pathlib import Path

from memcurve.cli.first_call import EXAMPLE, FirstCall

SCENARIOS = Path("bench/scenarios")
TESTS = Path("tests")
GITHUB = Path(".github/workflows/memory.yml")
GITLAB = Path(".gitlab/memory.yml")

MEASURE = (
    "python -m pytest {test} --memcurve --memcurve-report reports/tests",
    "python -m memcurve run --quiet",
)
"""What the job runs: `python -m`, since it finds the interpreter that was just installed into."""


def files_of(call: FirstCall, project: Path, *, example: bool) -> dict[Path, str]:
    """Return the text of each file by its path below the project."""
    test = TESTS / f"test_memory_{call.name}.py"
    files = {EXAMPLE: _EXAMPLE} if example else {}
    files[SCENARIOS / f"{call.name}.py"] = _scenario(call)
    files[test] = _test(call)
    if (project / ".gitlab-ci.yml").exists():
        files[GITLAB] = _gitlab(project, test)
    else:
        files[GITHUB] = _github(project, test)
    return files


_EXAMPLE = '''\
"""What is measured: one call of what this project does again and again."""

import json


def one_call(number):
    """Replace this body by one call of your program; `number` is 0, 1, 2 …"""
    json.loads(json.dumps({"request": number}))
'''


def _scenario(call: FirstCall) -> str:
    description = f"One call of {call.target} after another."
    if call.root is None:
        return f'''\
"""Its curve must not grow; `memcurve run` draws it."""

from memcurve import scenario

{call.name} = scenario(
    "{call.name}",
    {{"now": "{call.target}"}},
    calls=100,
    description="{description}",
)
'''
    return f'''\
"""Its curve must not grow; `memcurve run` draws it."""

from pathlib import Path

from memcurve import Target, scenario

ROOT = {_path_from(SCENARIOS, call.root)}

{call.name} = scenario(
    "{call.name}",
    {{"now": Target(call="{call.target}", paths=(str(ROOT),))}},
    calls=100,
    description="{description}",
)
'''


def _path_from(folder: Path, root: Path) -> str:
    """Return the expression for a folder of the project, in a file of another one."""
    above = f"Path(__file__).resolve().parents[{len(folder.parts)}]"
    return f'{above} / "{root.as_posix()}"' if root.parts else above


def _test(call: FirstCall) -> str:
    made = f"{call.function}({'next(NUMBERS)' if call.numbered else ''})"
    made = f"asyncio.run({made})" if call.asynchronous else made
    modules = ["asyncio"] * call.asynchronous + ["itertools"] * call.numbered
    imports = [f"import {one}" for one in modules]
    path = []
    if call.root is not None:
        imports += ["import sys", "from pathlib import Path"]
        path = [f"sys.path.insert(0, str({_path_from(TESTS, call.root)}))", ""]
    ignored = "  # noqa: E402" if path else ""
    numbers = ["NUMBERS = itertools.count()", ""] if call.numbered else []
    lines = [
        '"""Measured with `--memcurve`; without it, one call as in any other test."""',
        "",
        *imports,
        *([""] if imports else []),
        "import pytest",
        "",
        *path,
        f"from {call.module} import {call.function}{ignored}",
        "",
        *numbers,
        "",
        '@pytest.mark.memcurve(retained="64 B")',
        f"def test_{call.name}_keeps_nothing():",
        f"    {made}",
    ]
    return "\n".join(lines) + "\n"


def _installing(project: Path) -> str:
    """Return the command that installs the project and what measures it."""
    own = ""
    if _is_package(project):
        own = "-e . "
    elif (project / "requirements.txt").exists():
        own = "-r requirements.txt "
    return f'python -m pip install {own}"memcurve[report]" pytest'


def _is_package(project: Path) -> bool:
    """Tell whether pip can install the folder: a pyproject.toml may hold settings of tools only."""
    if (project / "setup.py").exists():
        return True
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return False
    return "project" in settings or "build-system" in settings


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _github(project: Path, test: Path) -> str:
    tests, scenarios = (one.format(test=test.as_posix()) for one in MEASURE)
    return f"""\
name: memory
on: [push, pull_request]

permissions:
  contents: read

jobs:
  memory:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{ python-version: "{_python()}" }}
      - run: {_installing(project)}
      - run: {tests}
      - if: success() || failure()
        run: {scenarios}
      - if: always()
        run: cat reports/summary.md >> "$GITHUB_STEP_SUMMARY"
      - if: always()
        uses: actions/upload-artifact@v4
        with: {{ name: memory, path: reports }}
"""


def _gitlab(project: Path, test: Path) -> str:
    measure = "\n".join(f"    - {one.format(test=test.as_posix())}" for one in MEASURE)
    return f"""\
memory:
  image: python:{_python()}
  script:
    - {_installing(project)}
{measure}
  artifacts:
    when: always
    paths: [reports]
"""

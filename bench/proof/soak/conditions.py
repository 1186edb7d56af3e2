"""What surrounds a check: load, pressure, neighbours, and the interpreter that it runs in."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

import msgspec

from bench.proof.accuracy.load import burners

PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14", "python3.15")
_PRESS = """
import sys
while True:
    held = [bytearray(1 << 20) for _ in range(int(sys.argv[1]))]
    for block in held:
        block[::4096] = b"x" * len(block[::4096])
"""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of surroundings; `{n}` in the environment is the number of the check."""

    name: str
    busy: bool = False
    pressed: bool = False
    environment: dict[str, str] = {}
    arguments: tuple[str, ...] = ()

    def variables(self, number: int) -> dict[str, str]:
        """Return the environment of one check."""
        return os.environ | {k: v.format(n=number) for k, v in self.environment.items()}


def conditions(pythons: Sequence[str]) -> list[Condition]:
    """Return all, with one for each other interpreter."""
    return [
        Condition(name="nothing else runs"),
        Condition(name="every processor busy", busy=True),
        Condition(name="memory under pressure", pressed=True),
        Condition(name="both", busy=True, pressed=True),
        Condition(name="-X dev", busy=True, environment={"PYTHONDEVMODE": "1"}),
        Condition(
            name="a hash seed each, in a fork",
            busy=True,
            environment={"PYTHONHASHSEED": "{n}"},
            arguments=("--fork",),
        ),
        *(
            Condition(
                name=f"measured in {_words(python)}", busy=True, arguments=("--python", python)
            )
            for python in pythons
        ),
    ]


def _words(python: str) -> str:
    version = version_of(python)
    return f"CPython {version}" if version else python


def pythons_here() -> list[str]:
    """Return the interpreters on the path that are others than this one, and that start."""
    own = f"python3.{sys.version_info.minor}"
    return [name for name in PYTHONS if name != own and version_of(name)]


def version_of(python: str) -> str:
    """Return the version of an interpreter, "" where none starts: a name may be a mere shim."""
    if not shutil.which(python):
        return ""
    command = [python, "-c", "import platform; print(platform.python_version())"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextlib.contextmanager
def surrounded(condition: Condition, press_mib: int) -> Iterator[None]:
    """Bring about what surrounds the checks of one condition, and end it."""
    busy = os.cpu_count() or 1
    with burners(busy if condition.busy else 0), _pressing(press_mib if condition.pressed else 0):
        yield


@contextlib.contextmanager
def _pressing(mib: int) -> Iterator[None]:
    """Have a process take so much memory, touch it and give it back, over and over."""
    if not mib:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", _PRESS, str(mib)])
    try:
        yield
    finally:
        process.kill()
        process.wait()

"""What the command line says to a file or a module where a function is wanted."""

from pathlib import Path

import pytest

from memcurve.cli.targets import whole_target
from memcurve.measure.worker.target import TargetError as WorkerTargetError
from memcurve.measure.worker.target import bind, resolve
from memcurve.model.errors import TargetError

SCRIPT = """
raise SystemExit("nothing of this may run")

class Thing:
    def method(self): ...

def main(): ...
def numbered(number): ...
def _private(): ...
def wide(one, two, three=3): ...
def keyword(*, name): ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script_of_shop.py").write_text(SCRIPT)
    (tmp_path / "empty_of_shop.py").write_text("import os\n")
    return tmp_path


def said(text: str, *, is_module: bool = False, main: bool = False) -> str:
    with pytest.raises(TargetError) as caught:
        whole_target(text, is_module=is_module, main=main)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_module"),
    [("script_of_shop.py", False), ("script_of_shop", True), ("script_of_shop", False)],
)
def test_a_file_or_module_alone_lists_what_can_be_checked_and_runs_nothing(
    text: str, is_module: bool
) -> None:
    assert said(text, is_module=is_module) == (
        f"{text} names no function; what can be checked in it:"
        f"\n  {text}:main\n  {text}:numbered"
        "\nmore arguments than the call's number: wide, keyword"
        f"\nnext: memcurve check {text}:main"
    )


def test_main_is_the_function_of_that_name() -> None:
    target = whole_target("script_of_shop.py", is_module=False, main=True)
    assert target == "script_of_shop.py:main"
    assert "has no function main" in said("empty_of_shop.py", main=True)


def test_a_whole_target_stays_as_it_is() -> None:
    target = "no_such_module:function"
    assert whole_target(target, is_module=False, main=False) == target


def test_what_is_not_there_is_named(folder: Path) -> None:
    assert said("nofile.py") == f"no such file: 'nofile.py' (looked in {folder})"
    assert said("no.module", is_module=True).startswith("no module 'no.module' with a file")
    assert "it has no function: write one" in said("empty_of_shop.py")
    (folder / "bad_of_shop.py").write_text("def (")
    assert "cannot be read as Python" in said("bad_of_shop.py")


class Thing:
    def method(self, number: int) -> None: ...

    @staticmethod
    def free() -> None: ...

    @classmethod
    def made(cls) -> None: ...


def test_a_method_is_refused_with_what_it_needs_and_what_needs_no_instance_is_not() -> None:
    with pytest.raises(WorkerTargetError, match=r"needs an instance of Thing; wrap it: def one_c"):
        resolve(f"{__name__}:Thing.method")
    for name in ("free", "made"):
        assert callable(resolve(f"{__name__}:Thing.{name}"))


def test_a_refused_signature_names_the_function_and_how_to_wrap_it() -> None:
    async def fetch(client: object, url: str) -> None: ...

    def save(*, path: str) -> None: ...

    with pytest.raises(WorkerTargetError, match=r"fetch takes 2 arg.*async def one_call.*await"):
        bind(fetch, None, None)
    with pytest.raises(WorkerTargetError, match=r"save needs the keyword argument 'path'"):
        bind(save, None, None)

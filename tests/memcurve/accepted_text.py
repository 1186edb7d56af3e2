"""Texts that a person has read and accepted; a run that differs leaves an `.actual` beside them."""

from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def assert_golden(actual: str, name: str) -> None:
    """Compare a text with the accepted file of that name.

    To accept a change, read the `.actual` file and move it over the accepted one.
    """
    accepted, left = FOLDER / name, FOLDER / f"{name}.actual"
    expected = accepted.read_text(encoding="utf-8") if accepted.exists() else None
    if actual == expected:
        left.unlink(missing_ok=True)
        return
    FOLDER.mkdir(exist_ok=True)
    left.write_text(actual, encoding="utf-8")
    raise AssertionError(f"{name} differs from what was accepted; compare it with {left.name}")

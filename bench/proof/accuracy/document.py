"""Keep the two generated sections of docs/accuracy.md, and nothing else of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[3] / "docs" / "accuracy.md"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Render a Markdown table; cells must not hold a bar or a line break."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replaced(page: str, section: str, text: str) -> str:
    """Return the page with the text between the two markers of a section replaced."""
    start, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    if start not in page or end not in page:
        raise ValueError(f"the page has no section {section!r}; add {start} and {end} to it")
    before, rest = page.split(start, 1)
    after = rest.split(end, 1)[1]
    return f"{before}{start}\n{text.strip()}\n{end}{after}"


def write_section(section: str, text: str, page: Path = PAGE) -> None:
    """Replace one generated section of the page on the disk."""
    page.write_text(replaced(page.read_text(), section, text))

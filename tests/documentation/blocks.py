"""Read the code blocks of a Markdown page, with what the page says about running them.

What a page may say in a comment on the line before a block:

    <!-- exit 1 -->             the last command of the block ends with this code
    <!-- not run: REASON -->    the block is read, not run
    <!-- needs: TOOL -->        skip the page where this program or module is missing

A block with ``title="name.py"`` is a file: it is written into the folder that the page's commands
run in.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n\n?)?^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: its language, file name if it has one, text, first line and note."""

    page: str
    line: int
    language: str
    title: str
    body: str
    note: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def exit_code(self) -> int:
        return int(self.note.removeprefix("exit ")) if self.note.startswith("exit ") else 0

    @property
    def reason(self) -> str:
        """Why the block is not run; empty if it is."""
        return self.note.removeprefix("not run: ") if self.note.startswith("not run: ") else ""

    @property
    def needs(self) -> str:
        return self.note.removeprefix("needs: ") if self.note.startswith("needs: ") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of a ``console`` block, and the lines that it is said to print."""

    text: str
    printed: tuple[str, ...]


def read_blocks(path: Path, page: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    text = path.read_text()
    blocks = []
    for match in _BLOCK.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        title = _TITLE.search(rest)
        blocks.append(
            Block(
                page=page,
                line=text.count("\n", 0, match.start("info")) + 1,
                language=language,
                title=title[1] if title else "",
                body=match["body"],
                note=match["note"] or "",
            )
        )
    return blocks


def commands_of(block: Block) -> list[Command]:
    """Return the commands of a shell block; in ``console`` they follow a ``$``."""
    if block.language != "console":
        return [Command(text=block.body.strip(), printed=("...",))]
    found: list[Command] = []
    for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
        text, *printed = re.sub(r"\\\n", "", part).rstrip("\n").split("\n")
        found.append(Command(text=text, printed=tuple(printed)))
    return found

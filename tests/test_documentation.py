"""README and docs do what they say: files are written, commands and Python blocks run."""

import importlib.util
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bench.stub_server import StubServer
from tests.documentation.blocks import Block, Command, read_blocks
from tests.documentation.promises import ROOT, broken_links, broken_promises, missing_targets
from tests.documentation.running import Folder, first_difference, run_commands, run_python

STUB = "http://127.0.0.1:8080"
SHELLS = ("console", "bash", "sh")
READERS = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
PAGES = [
    str(path.relative_to(ROOT))
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        ROOT / "packages" / "ragpool" / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
]


def blocks_of(page: str) -> list[Block]:
    return read_blocks(ROOT / page, page)


@pytest.fixture
def folder(page: str, tmp_path: Path) -> Iterator[Folder]:
    """Give an empty folder, and a stub server where the page names one."""
    place = tmp_path / "shop"
    place.mkdir()
    if STUB not in (ROOT / page).read_text():
        yield Folder(path=place, addresses={}, environment={})
        return
    with StubServer() as server:
        keys = {"OPENAI_API_KEY": "stub", "ANTHROPIC_API_KEY": "stub"}
        yield Folder(path=place, addresses={STUB: server.url}, environment=keys)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, folder: Folder) -> None:
    python = []
    for block in blocks_of(page):
        if block.needs and not _is_there(block.needs):
            pytest.skip(f"{block.place} needs {block.needs}")
        if block.title:
            folder.write(block)
        elif block.reason or _is_heavy(block):
            continue
        elif block.language == "python":
            python.append(block)
        elif block.language in SHELLS:
            run_commands(folder, block)
        elif block.language in READERS:
            READERS[block.language](block.body)
    if python:
        run_python(folder, python)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    shells = [block for block in blocks_of(page) if block.language in SHELLS]
    assert [f"{b.place}: {broken}" for b in shells for broken in broken_promises(b)] == []
    assert list(broken_links(ROOT / page)) == []
    assert missing_targets(ROOT / page) == []


def test_a_target_that_only_a_sentence_names_is_looked_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Run `make test`, then `make tset ARGS=1`.\n")
    assert missing_targets(page) == ["no target 'tset'"]


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "docs/architecture.md"])
def test_the_files_that_a_page_for_contributors_names_exist(page: str) -> None:
    named = re.findall(r"`((?:bench|docs|packages|src|tests)/[\w./-]*)`", (ROOT / page).read_text())
    assert named or page == "README.md"
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_ends_with_the_table_of_the_documentation() -> None:
    rows = [row for row in (ROOT / "docs/index.md").read_text().splitlines() if row[:1] == "|"]
    placed = [row.replace("](", "](docs/") for row in rows]
    *shown, last = (ROOT / "README.md").read_text().splitlines()[-len(rows) - 1 :]
    assert shown == placed
    assert "CHANGELOG.md" in last


@pytest.mark.parametrize("page", PAGES)
def test_every_block_names_its_language_and_every_exception_its_reason(page: str) -> None:
    for block in blocks_of(page):
        assert block.language, f"{block.place}: write the language after the fence"
        known = ("exit ", "not run: ", "needs: ")
        assert not block.note or block.note.startswith(known), f"{block.place}: {block.note}"


def test_the_comparison_shows_the_figures_that_were_measured() -> None:
    row = re.compile(
        r"^\| (\S+ [\d.]+) \| (default|best).*? \| (\d+ of 55) \| (\d+ of 55) \|", re.MULTILINE
    )
    shown = row.findall((ROOT / "docs/comparison.md").read_text())
    assert len(shown) == 11
    assert shown == row.findall((ROOT / "docs/accuracy.md").read_text())


def test_a_page_that_shows_other_words_than_are_printed_is_caught() -> None:
    command = Command(text="x", printed=("flat: 3 B a call", "...", "250 calls in 0.3 s"))
    assert first_difference(command, "flat: 12.5 KiB a call\nmore\n1,500 calls in 2.2 s") is None
    assert first_difference(command, "growing: 3 B a call\n250 calls in 0.3 s") is not None
    assert first_difference(command, "flat: 3 B a call\nmore") is not None
    assert first_difference(command, "flat: 3 B a call\n250 calls in 0.3 s\nmore") is not None


def test_a_command_that_does_not_exist_is_caught() -> None:
    def promise(text: str) -> list[str]:
        block = Block(page="p", line=1, language="bash", title="", body=text, note="")
        return list(broken_promises(block))

    assert promise("memcurve check a.py:b --json\nmake test\n") == []
    assert promise("memcurve chekc a.py:b") == ["memcurve has no command 'chekc'"]
    assert promise("memcurve check a.py:b --fast") == ["memcurve check has no option '--fast'"]
    assert promise("make tset ARGS=1") == ["no target 'tset'"]
    assert promise('pip install "memcurve[raport]"') == ["memcurve has no extra 'raport'"]
    assert promise('pip install "ragpool[report]"') == ["ragpool has no extra 'report'"]
    assert promise('pip install "ragpool[postgresql]" memcurve') == []


def _is_heavy(block: Block) -> bool:
    """`make` runs whole suites and `pip install` wants the network: that they exist is checked."""
    return block.language in SHELLS and block.body.startswith(
        ("make ", "$ make ", "pip ", "$ pip ")
    )


def _is_there(tool: str) -> bool:
    return bool(shutil.which(tool)) or importlib.util.find_spec(tool) is not None

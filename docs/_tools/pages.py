"""README and the pages of docs/, and their blocks of code.

What a block is follows from its first line and the comment above it; comments are shown nowhere.

    ```console                  commands after `$ `, each with what it prints
    ```python                   run in one session a page; what it prints is the ```text below
    ```toml title="x.toml"      any language: a file, written into the folder that the page runs in
    <!-- not run: a reason -->  the block below cannot run here
    <!-- columns: 126 -->       the width of the terminal of the block below; 80 by default
    <!-- output varies: why --> the block below runs, and what it prints is not compared
    <!-- uses: nets/a.py -->    copied from docs/examples, or from the repository, into the folder
    <!-- generated -->          the page is made by reference.py and holds no commands
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_COMMENT = re.compile(r"<!-- ([a-z ]+?)(?:: (.*?))? -->", re.S)
_OF_A_BLOCK = {"not run", "columns", "output varies"}
_OF_A_PAGE = {"uses", "generated", "options", "end of options"}


class PageError(Exception):
    """What is wrong with a page, with its file and line."""


@dataclass(frozen=True)
class Block:
    """A fenced block: `text` stands between the lines `start` and `end` of its page, from 0."""

    language: str
    title: str | None  # the name of the file that it is
    comments: dict[str, str]
    text: str
    start: int
    end: int
    follows: bool  # nothing stands between it and the block before

    @property
    def not_run(self) -> str | None:
        """Why it is not run."""
        return self.comments.get("not run")


@dataclass(frozen=True)
class Page:
    """A Markdown file of the repository."""

    path: Path
    text: str
    blocks: tuple[Block, ...]
    comments: dict[str, str]

    @property
    def name(self) -> str:
        """Its path from the root of the repository."""
        return Path(os.path.relpath(self.path, ROOT)).as_posix()

    @property
    def pictures(self) -> list[str]:
        """The names of the pictures in docs/images that it shows."""
        return re.findall(r"!\[[^]]*\]\([^)\s]*images/([^)\s/]+)\)", self.text)

    def error(self, block: Block, message: str) -> PageError:
        """An error at the first line of a block."""
        return PageError(f"{self.name}:{block.start}: {message}")


def paths() -> list[Path]:
    """README.md and the pages of docs/, by name."""
    pages = (p for p in DOCS.rglob("*.md") if "_tools" not in p.parts)
    return [ROOT / "README.md", *sorted(pages)]


def read(path: Path) -> Page:
    """Parse a page. Raises PageError for comments and blocks that cannot be understood."""
    text = path.read_text(encoding="utf-8")
    tokens = [t for t in MarkdownIt("commonmark").parse(text) if t.map and not t.hidden]
    comments = "".join(t.content for t in tokens if t.type == "html_block")
    found = {name: value or "" for name, value in _COMMENT.findall(comments)}
    unknown = found.keys() - _OF_A_BLOCK - _OF_A_PAGE
    if unknown:
        raise PageError(f"{path}: no comment is called {', '.join(sorted(unknown))}")
    blocks = [_block(tokens, i) for i, t in enumerate(tokens) if t.type == "fence"]
    of_page = {name: value for name, value in found.items() if name in _OF_A_PAGE}
    return Page(path, text, tuple(blocks), of_page)


def _block(tokens: Sequence[Token], at: int) -> Block:
    token = tokens[at]
    assert token.map is not None  # fences stand on lines
    if token.level:
        raise PageError(
            f"line {token.map[0] + 1}: a block in a list cannot be updated; move it out"
        )
    comments: dict[str, str] = {}
    above = at - 1
    while above >= 0 and tokens[above].type == "html_block":
        comments |= {k: v or "" for k, v in _COMMENT.findall(tokens[above].content)}
        above -= 1
    language, _, info = token.info.partition(" ")
    title = re.search(r'title="([^"]+)"', info)
    return Block(
        language,
        title and title[1],
        {k: v for k, v in comments.items() if k in _OF_A_BLOCK},
        token.content,
        token.map[0] + 1,
        token.map[1] - 1,
        at > 0 and tokens[at - 1].type == "fence",
    )

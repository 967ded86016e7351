"""A report's notes in Markdown, by markdown-it-py (which comes with rich). What the user wrote is
never markup of the page: raw HTML shows as text, and images, which would be fetched, as their
link."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).disable("image").enable("table")


def _levels(tokens: Iterable[Token]) -> list[int]:
    """The levels of a note's headings in order, from 1, none of which skips one: a section's title
    stands above them."""
    tags = [t.tag for t in tokens if t.type == "heading_open"]
    order = sorted(set(tags))
    found: list[int] = []
    for tag in tags:
        found.append(min(order.index(tag) + 1, 4, found[-1] + 1 if found else 1))
    return found


def to_html(words: str) -> str:
    """HTML of a note; its headings are below the section's."""
    parser = _parser()
    tokens = parser.parse(words)
    levels = [n for n in _levels(tokens) for _ in range(2)]  # where each opens and closes
    for t in tokens:
        if t.type in ("heading_open", "heading_close"):
            t.tag = f"h{levels.pop(0) + 2}"
    return parser.renderer.render(tokens, parser.options, {})


def to_typst(words: str, quote: Callable[[str], str]) -> str:
    """typst markup of a note; `quote` makes a typst string of words."""
    from markdown_it.tree import SyntaxTreeNode

    tokens = _parser().parse(words)
    return _Typst(quote, _levels(tokens)).markup(SyntaxTreeNode(tokens))


def to_text(words: str, width: int) -> str:
    """Paragraphs of a width for a terminal, without emphasis; code keeps its lines."""
    from markdown_it.tree import SyntaxTreeNode

    root = SyntaxTreeNode(_parser().parse(words))
    return "\n\n".join("\n".join(_lines(node, width)) for node in root.children)


def _lines(node: SyntaxTreeNode, width: int) -> list[str]:
    """The lines of a block; a list has an item a line or more."""
    if node.type in ("code_block", "fence"):
        return [f"  {line}" for line in node.content.splitlines()]
    if node.type == "bullet_list":
        return [
            line
            for item in node.children
            for line in textwrap.wrap(
                _plain(item), width, initial_indent="- ", subsequent_indent="  "
            )
        ]
    return textwrap.wrap(_plain(node), width)


def _plain(node: SyntaxTreeNode) -> str:
    """The words of a node, in one line."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    return "".join(map(_plain, node.children)) or node.content


class _Typst:
    """Markdown nodes as typst markup."""

    # the markup of a node around its children, where it takes nothing else from the node
    _AROUND = {
        "strong": ("#strong[", "]"),
        "em": ("#emph[", "]"),
        "paragraph": ("", "\n\n"),
        "blockquote": ("#quote(block: true)[", "]\n\n"),
        "list_item": ("[", "]"),
    }

    def __init__(self, quote: Callable[[str], str], levels: Sequence[int]):
        self._quote = quote
        self._levels = iter(levels)
        self._kinds: dict[str, Callable[[SyntaxTreeNode], str]] = {
            "text": lambda node: f"#{quote(node.content)};",
            "softbreak": lambda _: " ",
            "hardbreak": lambda _: "\\ ",
            "hr": lambda _: "#line(length: 100%)\n\n",
            "code_inline": lambda node: f"#raw({quote(node.content)})",
            "fence": self._code,
            "code_block": self._code,
            "link": self._link,
            "bullet_list": lambda node: f"#list({self._items(node)})\n\n",
            "ordered_list": self._numbered,
            "heading": self._heading,
            "table": self._table,
        }

    def markup(self, node: SyntaxTreeNode) -> str:
        """The markup of a node with all in it."""
        special = self._kinds.get(node.type)
        if special is not None:
            return special(node)
        if not node.children and node.type != "list_item":
            return ""
        before, after = self._AROUND.get(node.type, ("", ""))
        return f"{before}{self._inside(node)}{after}"

    def _inside(self, node: SyntaxTreeNode) -> str:
        return "".join(map(self.markup, node.children))

    def _items(self, node: SyntaxTreeNode) -> str:
        return ", ".join(map(self.markup, node.children))

    def _code(self, node: SyntaxTreeNode) -> str:
        return f"#raw(block: true, {self._quote(node.content.rstrip())})\n\n"

    def _link(self, node: SyntaxTreeNode) -> str:
        address = str(node.attrs["href"])
        inside = self._inside(node)
        return f"#link({self._quote(address)})[{inside}]" if address else inside

    def _numbered(self, node: SyntaxTreeNode) -> str:
        start = int(node.attrs.get("start", 1))
        return f"#enum(start: {start}, {self._items(node)})\n\n"

    def _heading(self, node: SyntaxTreeNode) -> str:
        level = next(self._levels) + 1
        return (
            f"#heading(level: {level}, numbering: none, outlined: false)[{self._inside(node)}]\n\n"
        )

    def _table(self, node: SyntaxTreeNode) -> str:
        head, *body = (
            ", ".join(f"[{self._inside(cell)}]" for cell in row.children)
            for part in node.children
            for row in part.children
        )
        columns = len(node.children[0].children[0].children)
        return f"#table(columns: {columns}, table.header({head}), {', '.join(body)})\n\n"

"""A report's notes in Markdown, by markdown-it-py (which comes with rich). What the user wrote is
never markup of the page: raw HTML
shows as text, and images, which would be fetched, as their link."""

from __future__ import annotations


def _parser():
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).disable("image").enable("table")


def _levels(tokens) -> list[int]:
    """The levels of a note's headings in order, from 1, none of which skips one: a section's title
    stands above them."""
    tags = [t.tag for t in tokens if t.type == "heading_open"]
    order, found = sorted(set(tags)), []
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


def to_typst(words: str, quote) -> str:
    """typst markup of a note; `quote` makes a typst string of words."""
    from markdown_it.tree import SyntaxTreeNode

    marks = {
        "strong": "#strong[{}]",
        "em": "#emph[{}]",
        "paragraph": "{}\n\n",
        "blockquote": "#quote(block: true)[{}]\n\n",
        "list_item": "[{}]",
    }

    def walk(node):
        inside = lambda: "".join(map(walk, node.children))  # noqa: E731
        if node.type == "text":
            return "#" + quote(node.content) + ";"
        if node.type in ("softbreak", "hardbreak"):
            return " " if node.type == "softbreak" else "\\ "
        if node.type == "code_inline":
            return f"#raw({quote(node.content)})"
        if node.type in ("fence", "code_block"):
            return f"#raw(block: true, {quote(node.content.rstrip())})\n\n"
        if node.type == "link" and not node.attrs["href"]:
            return inside()
        if node.type == "link":
            return f"#link({quote(node.attrs['href'])})[{inside()}]"
        if node.type in ("bullet_list", "ordered_list"):
            kind = (
                "list("
                if node.type == "bullet_list"
                else f"enum(start: {int(node.attrs.get('start', 1))}, "
            )
            return f"#{kind}{', '.join(map(walk, node.children))})\n\n"
        if node.type == "heading":
            return (
                f"#heading(level: {levels.pop(0) + 1}, numbering: none, outlined: "
                f"false)[{inside()}]\n\n"
            )
        if node.type == "hr":
            return "#line(length: 100%)\n\n"
        if node.type == "table":
            head, *rows = [
                [f"[{''.join(map(walk, c.children))}]" for c in r.children]
                for part in node.children
                for r in part.children
            ]
            return (
                f"#table(columns: {len(head)}, table.header({', '.join(head)}), "
                f"{', '.join(c for r in rows for c in r)})\n\n"
            )
        return (
            marks.get(node.type, "{}").replace("{}", inside())
            if node.children or node.type == "list_item"
            else ""
        )

    tokens = _parser().parse(words)
    levels = _levels(tokens)
    return walk(SyntaxTreeNode(tokens))

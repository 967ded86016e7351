"""A report's notes in Markdown, by markdown-it-py (which comes with rich). What the user wrote is never markup of the page: raw HTML
shows as text, and images, which would be fetched, as their link."""
from __future__ import annotations


def _parser():
    from markdown_it import MarkdownIt
    return MarkdownIt("commonmark", {"html": False}).disable("image").enable("table")


def to_html(words: str) -> str:
    """HTML of a note; its headings are below the section's."""
    parser = _parser()
    tokens = parser.parse(words)
    for t in tokens:
        if t.type in ("heading_open", "heading_close"):
            t.tag = f"h{min(6, int(t.tag[1]) + 2)}"
    return parser.renderer.render(tokens, parser.options, {})


def to_typst(words: str, quote) -> str:
    """typst markup of a note; `quote` makes a typst string of words."""
    from markdown_it.tree import SyntaxTreeNode
    marks = {"strong": "#strong[{}]", "em": "#emph[{}]", "paragraph": "{}\n\n", "heading": "#strong[{}]\n\n", "blockquote": "#quote(block: true)[{}]\n\n",
             "list_item": "[{}]"}

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
            return f"#{'list' if node.type == 'bullet_list' else 'enum'}({', '.join(map(walk, node.children))})\n\n"
        if node.type == "hr":
            return "#line(length: 100%)\n\n"
        if node.type == "table":
            rows = [r for part in node.children for r in part.children]
            cells = ", ".join(f"[{''.join(map(walk, c.children))}]" for r in rows for c in r.children)
            return f"#table(columns: {len(rows[0].children)}, {cells})\n\n"
        return marks.get(node.type, "{}").replace("{}", inside()) if node.children or node.type == "list_item" else ""
    return walk(SyntaxTreeNode(_parser().parse(words)))

"""Text for a pipe and for a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

from ..tables import Sheet
from .cells import columns

_BLOCKS = " ▏▎▍▌▋▊▉█"


def _fold(header: str, width: int) -> list[str]:
    """A header in lines of at most `width` characters, cut after spaces, plus signs and commas
    where there are any."""
    lines = [""]
    for part in re.findall(r"[^ +,→]+[ +,→]*|[ +,→]+", header):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def plain(sheet: Sheet) -> str:
    """Aligned text; long headers are folded over several lines, groups have a heading each."""
    cols = columns(sheet, grouped=True)
    heads = [_fold(c.header, max(10, *(len(v) for v in (*c.cells, c.total)))) for c in cols]
    tall = max(map(len, heads), default=1)
    heads = [[""] * (tall - len(h)) + h for h in heads]
    widths = [max(map(len, (*h, *c.cells, c.total))) for h, c in zip(heads, cols, strict=False)]

    def line(cells):
        return "  ".join(
            v.rjust(w) if c.right else v.ljust(w)
            for v, w, c in zip(cells, widths, cols, strict=False)
        ).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    body = []
    for i, heading in enumerate(sheet.headings()):
        body += ["", heading] if heading and i else [heading] if heading else []
        body.append(line([c.cells[i] for c in cols]))
    end = [rule, line([c.total for c in cols])] if sheet.total is not None else []
    return (
        "\n".join(
            [
                sheet.title,
                *(line(h) for h in zip(*heads, strict=False)),
                rule,
                *body,
                *end,
                *sheet.notes,
            ]
        )
        + "\n"
    )


def _bar(share: float, width: int) -> str:
    eighths = round(share * width * 8)
    return ("█" * (eighths // 8) + (_BLOCKS[eighths % 8] if eighths % 8 else "")).ljust(width)


def terminal(sheet: Sheet, file=None, width=None) -> None:
    """Print with rich: bars beside the shares where the terminal is wide enough for them. What has
    headings between its rows is printed as in a pipe."""
    if sheet.group:
        print(plain(sheet), end="", file=file)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cols = columns(sheet)
    console = Console(file=file, width=width, highlight=False)
    body = [max(map(len, (*c.cells, c.total, ""))) for c in cols]
    heads = [_fold(c.header, max(8, w)) for c, w in zip(cols, body, strict=False)]
    room = (
        console.width - sum(max(w, *map(len, h)) + 2 for w, h in zip(body, heads, strict=False)) - 2
    )
    if (
        room < 0
    ):  # shares go first; a table that is still too wide keeps its lines whole, as in a pipe
        if any(c.bars for c in cols):
            return terminal(
                replace(sheet, columns=tuple(replace(c, share=False) for c in sheet.columns)),
                file,
                width,
            )
        print(plain(sheet), end="", file=console.file)
        return
    bar = min(8, room // max(1, sum(1 for c in cols if c.bars)) - 1)
    bar = bar if bar > 2 else 0
    grid = Table(
        title=Text(sheet.title),
        box=box.SIMPLE_HEAD,
        show_footer=sheet.total is not None,
        title_justify="left",
        padding=(0, 1, 0, 0),
        collapse_padding=True,
        pad_edge=False,
    )
    for c, head in zip(cols, heads, strict=False):
        pad = " " * (bar + 1) if c.bars and bar else ""
        grid.add_column(
            Text("\n".join(line + pad for line in head)),
            Text(c.total + pad),
            justify="right" if c.right else "left",
            overflow="fold",
            vertical="bottom",
        )
    for i in range(len(sheet.rows)):
        grid.add_row(
            *(
                Text.assemble(c.cells[i] + " ", (_bar(c.bars[i], bar), "cyan"))
                if c.bars and bar
                else Text(c.cells[i])
                for c in cols
            )
        )
    console.print(grid)
    for note in sheet.notes:
        console.print(Text(note, style="dim"))

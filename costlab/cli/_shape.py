"""The options that shape a table, the same for every command that shows one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

from ..render import ALL, Column, Shape, column_names, require_label
from ._errors import UserError, errors, refuse
from ._types import Options

SHAPE = ("columns", "rename", "units", "title", "caption", "label", "fragment")
# formats with a place for what the others have no word for
_ONLY = {
    "label": (("latex", "html", "json"), "LaTeX, HTML and JSON"),
    "fragment": (("latex", "html"), "LaTeX and HTML"),
}


def add_shape(options: Options) -> None:
    """What a table shows, and how it is headed."""
    options.add_argument(
        "--columns",
        metavar="NAME,...",
        help="the columns to show, in order: type,output-size,ops; +NAME adds one to the default",
    )
    options.add_argument(
        "--rename",
        action="append",
        metavar="NAME=TEXT,...",
        help="other names for columns: ops=MACs,params=#params",
    )
    options.add_argument(
        "--units",
        action="append",
        metavar="NAME=UNIT,...",
        help="units of columns: params=K,ops=G, or M for all that can be shown in it; exact for "
        "whole numbers",
    )
    options.add_argument(
        "--title", help='title of the table, and of the chart where one is drawn; "" for none'
    )
    options.add_argument(
        "--caption",
        metavar="TEXT",
        help="a caption; LaTeX prints it in place of the title, other formats below it",
    )
    options.add_argument(
        "--label",
        help=r"LaTeX: label of the table for \ref, such as tab:googlenet; HTML: its id",
    )
    options.add_argument(
        "--fragment",
        action="store_true",
        default=None,
        help=r"LaTeX: only the tabular, for \input, or with a caption or a label the table around "
        "it; HTML: only the table and its notes",
    )


def shape_of(args: argparse.Namespace) -> Shape:
    """The shape that the arguments ask for."""
    units = _pairs("units", args.units or (), "params=K,ops=G", alone=ALL)
    return Shape(
        columns=column_names(args.columns or ""),
        labels=_pairs("rename", args.rename or (), "ops=MACs,params=#params"),
        units=units,
        title=args.title,
        caption=args.caption or "",
        label=args.label or "",
    )


def require_shape(args: argparse.Namespace, format: str) -> None:
    """Refuse a shape that cannot be read, what a format has no place for, and names of columns that
    the result cannot have, of commands that say which it can: `columns_of` of a parser's defaults
    gives them for the arguments, or nothing where they are quick to find out."""
    for option, (formats, names) in _ONLY.items():
        if format not in formats:
            why = f"is for {names}: name the file .tex, or give --format latex"
            refuse(args, [option], why)
    with errors():
        shape = shape_of(args)
        require_label(args.label)
        columns_of: Callable[[argparse.Namespace], Sequence[Column]] | None
        columns_of = getattr(args, "columns_of", None)
        if columns_of and (columns := columns_of(args)):
            shape.require(columns)


def refuse_shape(args: argparse.Namespace, what: str) -> None:
    """Refuse to shape `what`, which has more than one table."""
    charted = getattr(args, "chart", None)  # which the title is of then
    names = [name for name in SHAPE if not (charted and name == "title")]
    refuse(args, names, f"is for one table, and {what}; choose csv, json or latex")


def _pairs(
    option: str, texts: Iterable[str], example: str, alone: str | None = None
) -> dict[str, str]:
    """NAME=TEXT,NAME=TEXT,... as a dict. What has no `=` goes on the text before it, or is of the
    name `alone` where there is one."""
    found: dict[str, str] = {}
    for text in filter(str.strip, texts):
        last = alone
        for part in text.split(","):
            name, eq, value = part.partition("=")
            if eq and name.strip():
                last = name.strip()
                found[last] = value.strip()
            elif alone is not None and part.strip():
                found[alone] = part.strip()
            elif last in found:
                found[last] += f",{part}"
            else:
                raise UserError(f"cannot read --{option} {text!r}; write it as {example}")
    return found

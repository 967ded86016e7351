"""Results as the commands print and save them."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

from ..render import (
    FORMATS,
    Chart,
    Picture,
    Sheet,
    SUFFIXES,
    csv_text,
    html_fragment,
    latex,
    terminal,
    write_file,
)
from ._errors import UserError, errors, refuse
from ._extras import require
from ._files import REPORT, written
from ._progress import working
from ._shape import require_shape, shape_of

_LOOK = ("width", "theme", "title")
_FRAGMENTS = {"latex": partial(latex, fragment=True), "html": html_fragment}


def _require_look(args: argparse.Namespace):
    """Refuse a look that no chart can have, and one without a chart."""
    charts = [name for name in ("chart", "roofline") if name in args]
    if charts and not any(getattr(args, name) for name in charts):
        refuse(args, ("width", "theme"), f"is for the chart; add --{charts[0]} FILE")
    if args.width is args.theme is None:
        return
    from ..render.charts import look

    with errors():
        look(args.width, args.theme)


def on_terminal() -> bool:
    """Whether standard output is a terminal; it is None where it was closed."""
    return sys.stdout is not None and sys.stdout.isatty()


def show(args: argparse.Namespace, sheet: Sheet, *, costly: bool = False) -> None:
    """Print the sheet of a result, or write it to a file, in the format and the shape that the
    arguments name. Where that shape turns out not to be one of this table, what was `costly` to
    compute is printed as it is before the error."""
    name = require_format(args)
    with errors():
        try:
            sheet = shape_of(args).of(sheet)
        except ValueError:
            if costly:
                write(None, FORMATS["text"](sheet))
            raise
    if name == "text" and args.output is None and on_terminal():
        try:
            return terminal(sheet, wide=args.wide)
        except ModuleNotFoundError:
            pass  # rich is an extra: plain text says the same
    render = _FRAGMENTS[name] if args.fragment else FORMATS[name]
    with errors():
        data = render(sheet)
    write(args.output, data)


def require_outputs(args: argparse.Namespace):
    """Refuse what could not be written, before anything is computed: files of another format, those
    that need a package which is not installed, and files in no folder that can be written."""
    if "format" in args:
        require_format(args)
    for path, kind in written(args):
        if kind is not None:
            kind.check(path)
    if "theme" in args:
        _require_look(args)
    _writable(*(path for path, _ in written(args)))


def require_format(args: argparse.Namespace):
    """The name of the format, by `--format` or the suffix of `-o`."""
    suffixes = {**SUFFIXES, **{f".{name}": name for name in args.more_formats}}
    suffix = os.path.splitext(args.output or "")[1].lower()
    if not args.format and suffix and suffix not in suffixes:
        raise UserError(
            f"cannot tell the format of {args.output!r}; name it {', '.join(suffixes)}, or give "
            "--format"
        )
    name = args.format or suffixes.get(suffix, "text")
    if name in ("parquet", "pdf", "png") and args.output is None:
        raise UserError(f"{name} is not a text format; give a file with -o FILE")
    if name == "parquet":
        require("parquet", "format parquet")
    if name in args.documents:
        REPORT.require(name)
    require_shape(args, name)
    return name


def draw(path: str, picture: Picture):
    """Write a picture of a result, where a file was asked for."""
    with working(f"drawing {path}"), errors():
        data = picture.draw(picture.format_of(path))
    write(path, data)


def save_chart(args: argparse.Namespace, path: str, picture: Chart, numbers: Sheet | None = None):
    """Write a chart as `add_look`'s options say, and its numbers beside it as CSV; `numbers`
    instead of the chart's own."""
    with working(f"drawing {path}"), errors():
        picture = picture.with_look(**{name: getattr(args, name) for name in _LOOK})
        data = picture.draw(picture.format_of(path))
    shown = numbers or picture.numbers
    if shown is not None:  # charts have numbers, other pictures none
        write(os.path.splitext(path)[0] + ".csv", csv_text(shown))
    write(path, data)


def _writable(*paths: str | None):
    """Refuse files that could not be written, before a long run."""
    for path in (os.path.realpath(p) for p in paths if p and p != "-"):
        home = os.path.dirname(path) or "."
        if os.path.isdir(path) or not os.path.isdir(home) or not os.access(home, os.W_OK):
            reason = f"no folder {home} that can be written"
            if os.path.isdir(path):
                reason = "it is a folder"
            raise UserError(f"cannot write {path}: {reason}")


def write(path: str | None, data: str | bytes):
    """Print, or write the file (text or bytes) beside and rename it."""
    if path in (None, "-"):
        if sys.stdout is None:
            raise UserError("cannot write to standard output: it is closed; name a file with -o")
        try:
            if isinstance(data, str):
                sys.stdout.write(data)
                sys.stdout.flush()
            else:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as e:
            raise UserError(f"cannot write to standard output: {e.strerror}") from None
        return
    data = data.encode() if isinstance(data, str) else data
    try:
        write_file(path, data)
    except OSError as e:
        raise UserError(f"cannot write {path}: {e.strerror}") from None

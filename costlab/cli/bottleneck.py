"""`costlab bottleneck`: naive against reduced Inception modules."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, default, errors, refuse
from ._options import add_diagram, add_mode, add_output
from ._output import draw, show
from ._progress import working
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "bottleneck",
        help="compare Inception modules with and without 1x1 reductions",
        example="costlab bottleneck",
    )
    p.add_argument(
        "--widths",
        metavar="N,...",
        help="a module of your own, by its filters: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, "
        "pool proj (default: the modules of GoogLeNet)",
    )
    p.add_argument(
        "--c-in", type=int, metavar="N", help="with --widths: input channels (default: 192)"
    )
    p.add_argument(
        "--grid", type=int, metavar="N", help="with --widths: side of the grid (default: 28)"
    )
    add_mode(p)
    add_diagram(p, "draw the first module with and without reductions")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, render."""
    if not args.widths:
        refuse(args, ("c_in", "grid"), "describes a module of your own: give its --widths too")
    default(args, c_in=192, grid=28)
    with working("counting modules"), errors():
        result = costlab.bottleneck(
            _widths(args.widths), c_in=args.c_in, grid=args.grid, train=args.mode == "train"
        )
    if args.diagram:
        draw(args.diagram, result.diagram())
    show(args, result.sheet)


def _widths(text: str):
    if not text:
        return None
    try:
        return [int(width) for width in text.split(",")]
    except ValueError:
        raise UserError(
            f"cannot read --widths {text!r}; write six numbers as 64,96,128,16,32,32"
        ) from None

"""`costlab diagram MODEL -o FILE`: block diagrams as SVG, PDF, PNG or DOT."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._files import DIAGRAM
from ._models import get_trace
from ._options import add_model, add_profile
from ._output import draw
from ._progress import working
from ._types import Commands, Options


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "diagram",
        help="draw a block diagram of a network or of a module",
        example="costlab diagram googlenet --module inception3a -o inception3a.svg",
    )
    add_model(p)
    _add_contents(p.add_argument_group("contents of the diagram"))
    add_profile(p)
    p.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="FILE.svg, .pdf, .png or .dot"
    )
    p.set_defaults(run=run, writes=DIAGRAM)


def _add_contents(options: Options) -> None:
    """What is drawn, how far it is opened, and in which style."""
    options.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="0 draws one box per block, and repeated blocks once, marked x N; 1 opens the "
        "branches of each block; 2 and more open nested blocks (default: 0; 1 with --style "
        "paper; as much as fits on a page with --module)",
    )
    options.add_argument(
        "--module", metavar="PATH", help="draw only this module, opened, as papers draw it"
    )
    options.add_argument(
        "--style",
        choices=("auto", "paper", "cost"),
        default="auto",
        help="paper: one-line boxes as in papers; cost: boxes with params, multiply-adds and a "
        "bar for their share of the total (default: paper with --module, otherwise cost)",
    )
    options.add_argument(
        "--base",
        metavar="MODEL",
        help="draw this earlier version beside MODEL on one scale, and mark what was changed, "
        "added or removed",
    )


def run(args: argparse.Namespace) -> int | None:
    """Trace, draw."""
    trace = get_trace(args)
    with working("laying out the diagram"), errors():
        picture = costlab.diagram(
            trace,
            depth=args.depth,
            module=args.module,
            style=args.style,
            base=get_trace(args, args.base) if args.base else None,
        )
    draw(args.output, picture)

"""`costlab diagram MODEL -o FILE`: block diagrams as SVG, PDF, PNG or DOT."""

from __future__ import annotations

import argparse

import costlab

from ..render import DIAGRAM_FORMATS
from ._errors import errors
from ._models import add_model, get_trace
from ._output import draw, require_suffix
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser("diagram", help="block diagrams of a network or of a module")
    add_model(p)
    p.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="0: blocks, alike ones as x N; 1: their branches opened; 2 and more: blocks inside "
        "them too (default: 0; 1 with --style paper; of a module what fits a page)",
    )
    p.add_argument(
        "--module", metavar="PATH", help="only this module, opened, as the papers draw it"
    )
    p.add_argument(
        "--style",
        choices=("auto", "paper", "cost"),
        default="auto",
        help="paper: one-line boxes as the papers draw them; cost: params, multiply-adds and a "
        "bar of the share (default: paper with --module, otherwise cost)",
    )
    p.add_argument(
        "--base",
        metavar="MODEL",
        help="draw this earlier version beside MODEL on one scale, and mark what was changed, "
        "added or removed",
    )
    p.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="FILE.svg, .pdf, .png or .dot"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, draw."""
    require_suffix(args.output, DIAGRAM_FORMATS)
    trace = get_trace(args)
    with errors():
        picture = costlab.diagram(
            trace,
            depth=args.depth,
            module=args.module,
            style=args.style,
            base=get_trace(args, args.base) if args.base else None,
        )
    draw(args.output, picture)

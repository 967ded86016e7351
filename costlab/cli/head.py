"""`costlab head`: classifier heads compared."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._options import add_diagram, add_mode, add_output
from ._output import draw, show
from ._progress import working
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "head",
        help="compare fully connected heads with global average pooling",
        example="costlab head",
    )
    p.add_argument(
        "--c-in",
        type=int,
        default=256,
        metavar="N",
        help="channels of the feature map (default: 256)",
    )
    p.add_argument(
        "--side", type=int, default=6, metavar="N", help="side of the feature map (default: 6)"
    )
    p.add_argument(
        "--classes", type=int, default=1000, metavar="N", help="number of classes (default: 1000)"
    )
    p.add_argument(
        "--hidden",
        type=int,
        default=4096,
        metavar="N",
        help="hidden units of the fully connected head (default: 4096)",
    )
    add_mode(p)
    add_diagram(p, "draw the heads side by side")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, render."""
    with working("counting heads"), errors():
        result = costlab.head(
            c_in=args.c_in,
            side=args.side,
            classes=args.classes,
            hidden=args.hidden,
            train=args.mode == "train",
        )
    if args.diagram:
        draw(args.diagram, result.diagram())
    show(args, result.sheet)

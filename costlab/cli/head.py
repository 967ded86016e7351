"""`costlab head`: classifier heads compared."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._models import add_mode
from ._output import add_output, draw, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "head",
        help="fully connected heads against global average pooling; 1x1 convolution as a linear "
        "layer",
    )
    p.add_argument(
        "--c-in", type=int, default=256, help="channels of the feature map (default: 256)"
    )
    p.add_argument("--side", type=int, default=6, help="its side (default: 6)")
    p.add_argument("--classes", type=int, default=1000, help="classes (default: 1000)")
    p.add_argument(
        "--hidden",
        type=int,
        default=4096,
        help="hidden units of the fully connected head (default: 4096)",
    )
    add_mode(p)
    p.add_argument(
        "--diagram", metavar="FILE", help="the heads side by side, as .svg, .pdf, .png or .dot"
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, render."""
    with errors():
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

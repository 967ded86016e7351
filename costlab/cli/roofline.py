"""`costlab roofline TRACE`: what a measured run reached of its device's ceilings."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._output import add_output, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "roofline",
        help="measured time by block, what bounds it, and how much of the device's ceiling it "
        "reached",
    )
    p.add_argument(
        "trace", metavar="TRACE", help="a trace made with costlab trace MODEL --measure -o TRACE"
    )
    p.add_argument("--style", default="auto", help="rows as in costlab table (default: auto)")
    p.add_argument("--depth", type=int, help="module depth of the layers style")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Load, compute, render."""
    with errors():
        trace = costlab.Trace.load(args.trace)
        result = costlab.roofline(trace, style=args.style, depth=args.depth)
    show(args, result.sheet)

"""`costlab roofline TRACE`: what a measured run reached of its device's ceilings."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._options import add_output, add_rows
from ._output import show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "roofline",
        help="compare the measured time of each block with the device's ceilings",
        example="costlab roofline googlenet.trace",
    )
    p.add_argument(
        "trace",
        metavar="TRACE",
        help="a measured trace: costlab trace MODEL --measure -o TRACE",
    )
    add_rows(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Load, compute, render."""
    with errors():
        trace = costlab.Trace.load(args.trace)
        result = costlab.roofline(trace, style=args.style, depth=args.depth)
    show(args, result.sheet)

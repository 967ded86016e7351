"""`costlab roofline TRACE`: what a measured run reached of its device's ceilings."""

from __future__ import annotations

import argparse
import os

import costlab

from ._errors import UserError, errors
from ._options import add_output, add_rows
from ._output import show
from ._progress import working
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


def _no_file(name: str) -> str:
    """What to do where there is no file of this name: it may be a model's."""
    if name.endswith(".trace"):
        return f"cannot read {name}: there is no such file"
    return (
        f"roofline needs a measured trace, and there is no file {name}; measure a model with: "
        f"costlab trace {name} --measure -o {name.rpartition(':')[2]}.trace"
    )


def run(args: argparse.Namespace) -> int | None:
    """Load, compute, render."""
    if not os.path.exists(args.trace):
        raise UserError(_no_file(args.trace))
    with working(f"reading {args.trace}"), errors():
        trace = costlab.Trace.load(args.trace)
        result = costlab.roofline(trace, style=args.style, depth=args.depth)
    show(args, result.sheet)

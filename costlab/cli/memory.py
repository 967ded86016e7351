"""`costlab memory MODEL`: peak memory by liveness."""

from __future__ import annotations

import argparse

import costlab

from ._models import get_trace
from ._options import add_model, add_output
from ._output import show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "memory",
        help="show the peak memory of inference or of a training step",
        example="costlab memory googlenet",
    )
    add_model(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, add up, render."""
    show(args, costlab.memory(get_trace(args)).sheet)

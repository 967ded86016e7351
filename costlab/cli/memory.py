"""`costlab memory MODEL`: peak memory by liveness."""

from __future__ import annotations

import argparse

import costlab

from ._models import add_model, get_trace
from ._output import add_output, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "memory",
        help="peak memory by liveness, in inference or of a training step, beside the measured one",
    )
    add_model(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, add up, render."""
    show(args, costlab.memory(get_trace(args)).sheet)

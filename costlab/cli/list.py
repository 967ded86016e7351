"""`costlab list`: the zoo."""

from __future__ import annotations

import argparse

import costlab

from ._options import add_output
from ._output import show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "list",
        help="list the networks that costlab defines",
        example="costlab list",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Print names, inputs and sources."""
    show(args, costlab.models().sheet)

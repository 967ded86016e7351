"""`costlab list`: the zoo."""

from __future__ import annotations

import argparse

import costlab

from ._output import add_output, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser("list", help="show the zoo")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Print names, inputs and sources."""
    show(args, costlab.models().sheet)

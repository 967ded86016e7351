"""`costlab list [zoo|profiles]`: what costlab brings along."""

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
        help="list the networks that costlab defines, or datasheets of devices",
        example="costlab list",
    )
    p.add_argument(
        "what",
        nargs="?",
        choices=("zoo", "profiles"),
        default="zoo",
        metavar="WHAT",
        help="zoo: the networks; profiles: the datasheets of devices (default: zoo)",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Print names, and what each is."""
    show(args, (costlab.profiles() if args.what == "profiles" else costlab.models()).sheet)

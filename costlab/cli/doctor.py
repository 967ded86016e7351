"""`costlab doctor`: what costlab runs on here, and what is missing."""

from __future__ import annotations

import argparse

import costlab

from ._options import add_output
from ._output import show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "doctor",
        help="show versions, devices and extras, and how to get what is missing",
        example="costlab doctor",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Look, print."""
    show(args, costlab.doctor().sheet)

"""`costlab results`: the papers' tables of results, as published."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._options import add_output
from ._output import show
from ._types import Commands

_FILTERS = {
    "paper": "papers whose title or URL contains TEXT",
    "table": "tables with this name, such as 'Table 3'",
    "network": "networks whose name contains TEXT",
    "data": "results on these images, such as val, test or CIFAR-10",
}


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "results",
        help="print the errors that papers report, by paper and table",
        example="costlab results --network resnet --data val",
    )
    for name, which in _FILTERS.items():
        p.add_argument(f"--{name}", metavar="TEXT", help=f"show only {which}")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Print the results that the filters leave."""
    with errors():
        found = costlab.results(**{name: getattr(args, name) for name in _FILTERS})
    show(args, found.sheet)

"""`costlab results`: the papers' tables of results, as published."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._output import add_output, show
from ._types import Commands

_FILTERS = {
    "paper": "of papers whose title or address contains TEXT",
    "table": "of tables that are called so, such as 'Table 3'",
    "network": "of networks whose name contains TEXT",
    "data": "of these images: val, test, CIFAR-10, ...",
}


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser("results", help="show the errors that the papers print, by paper and table")
    for name, what in _FILTERS.items():
        p.add_argument(f"--{name}", metavar="TEXT", help=f"only results {what}")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Print the results that the filters leave."""
    with errors():
        found = costlab.results(**{name: getattr(args, name) for name in _FILTERS})
    show(args, found.sheet)

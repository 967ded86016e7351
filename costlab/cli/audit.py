"""`costlab audit MODEL`: printed tables and totals against a trace, cell by cell."""

from __future__ import annotations

import argparse

import costlab

from ..api._columns import reproductions_columns
from ..api._papers import read_printed
from ._errors import UserError, errors, refuse
from ._models import get_trace
from ._options import add_model, add_output
from ._output import show
from ._progress import progress_line, working
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "audit",
        help="check what a paper prints against a trace, cell by cell",
        example="costlab audit googlenet",
    )
    add_model(p, optional=True)
    p.add_argument(
        "--all",
        action="store_true",
        help="audit the figures that papers print for every network, instead of one MODEL",
    )
    p.add_argument(
        "--against",
        metavar="FILE.csv",
        help="a CSV file with a table of your own (columns type, output size, ..., params, ops) or "
        "with its totals, instead of the published table",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="exit with code 1 if a cell is not explained",
    )
    add_output(p)
    p.set_defaults(run=run, columns_of=_columns)


def _columns(args: argparse.Namespace):
    """The columns of all audits; that of one is quick."""
    return reproductions_columns() if args.all else ()


def run(args: argparse.Namespace) -> int | None:
    """Trace, solve, render; with --check, say by the exit code whether all is explained."""
    if args.all:
        return _all(args)
    if args.model is None:
        raise UserError("name a model, or give --all for everything that papers print")
    if args.against:
        with errors():
            read_printed(args.against)  # before the model is built
    trace = get_trace(args)
    with working(f"auditing {args.model}"), errors():
        result = costlab.audit(trace, against=args.against)
    show(args, result.sheet)
    return 1 if args.check and not result.explained else 0


def _all(args: argparse.Namespace):
    """Every printed figure."""
    if args.model is not None:
        raise UserError(f"--all audits every model that papers print: leave out {args.model}")
    refuse(args, ("against", "input", "arg"), "is for one model; leave it out with --all")
    with errors():
        found = costlab.audit_all(
            progress=lambda done, of, model: progress_line(f"{done} of {of}: {model}")
        )
    show(args, found.sheet, costly=True)
    return 1 if args.check and not found.explained else 0

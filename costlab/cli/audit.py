"""`costlab audit MODEL`: printed tables and totals against a trace, cell by cell."""

import costlab

from ._errors import errors
from ._models import add_model, get_trace
from ._output import add_output, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "audit", help="check a printed table cell by cell: which convention, and what none explains"
    )
    add_model(p)
    p.add_argument(
        "--against",
        metavar="FILE.csv",
        help="a CSV of printed cells (type, output size, ..., params, ops) or of totals, instead "
        "of the published ones",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="exit with code 1 when a cell is not explained",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, solve, render; with --check, say by the exit code whether all is explained."""
    trace = get_trace(args)
    with errors():
        result = costlab.audit(trace, against=args.against)
    show(args, result.sheet)
    return 1 if args.check and not result.explained else 0

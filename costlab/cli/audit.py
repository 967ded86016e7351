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
        help="a CSV of printed cells (type, output size, ..., params, ops) instead of the "
        "published ones",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, solve, render."""
    trace = get_trace(args)
    with errors():
        result = costlab.audit(trace, against=args.against)
    show(args, result.sheet)

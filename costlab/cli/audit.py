"""`costlab audit MODEL`: printed tables and totals against a trace, cell by cell."""

import csv
from dataclasses import replace

from ._common import UserError, add_model, add_output, get_trace, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "audit", help="check a printed table cell by cell: which convention, and what none explains"
    )
    add_model(p)
    p.add_argument(
        "--against",
        metavar="FILE.csv",
        help="a CSV of printed cells (type, output size, ..., params, ops) instead of the published ones",
    )
    add_output(p)
    p.set_defaults(run=run)


def _read(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            rows = [r for r in csv.DictReader(line for line in f if not line.startswith("#"))]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise UserError(
            f"cannot read {path}: {getattr(e, 'strerror', None) or ('not UTF-8 text' if isinstance(e, UnicodeDecodeError) else e)}"
        ) from None
    if not rows or len(rows[0]) < 2:
        raise UserError(
            f"{path} has no table: write a header line (type,output size,...,params,ops) and a line a row"
        )
    return rows


def run(args):
    """Trace, solve, render."""
    from ..analysis.audit import audit, audit_published

    trace = get_trace(args)
    try:
        if args.against:
            result = audit(
                _read(args.against),
                trace,
                title=f"{trace.provenance['model']} against {args.against}",
            )
        else:
            result = audit_published(trace, lambda name: get_trace(args, name))
    except ValueError as e:
        raise UserError(f"{args.against + ': ' if args.against else ''}{e}") from None
    sheet = result.sheet
    if "source" in trace.provenance:
        sheet = replace(sheet, notes=(*sheet.notes, f"model: {trace.provenance['source']}"))
    show(args, sheet)

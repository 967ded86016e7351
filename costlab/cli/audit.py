"""`costlab audit MODEL`: printed tables and totals against a trace, cell by cell."""
import csv
from dataclasses import replace

from ._common import UserError, add_model, add_output, get_trace, show

# model -> (reference table, other readings)
PRINTED = {"googlenet": ("googlenet_table1", (("googlenet_separable", "a separable 7x7 stem of depth multiplier 8"),)), "bn_inception": ("bn_inception_table", ()),
           "inception_v2": ("inception_v2_table1", ())}


def add(sub):
    """Register the command."""
    p = sub.add_parser("audit", help="check a printed table cell by cell: which convention, and what none explains")
    add_model(p)
    p.add_argument("--against", metavar="FILE.csv", help="a CSV of printed cells (type, output size, ..., params, ops) instead of the published ones")
    add_output(p)
    p.set_defaults(run=run)


def _read(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            rows = [r for r in csv.DictReader(line for line in f if not line.startswith("#"))]
    except (OSError, UnicodeDecodeError) as e:
        raise UserError(f"cannot read {path}: {getattr(e, 'strerror', None) or 'not UTF-8 text'}") from None
    if not rows or len(rows[0]) < 2:
        raise UserError(f"{path} has no table: write a header line (type,output size,...,params,ops) and a line a row")
    return rows


def run(args):
    """Trace, solve, render."""
    from .. import reference
    from ..analysis.audit import Audit, audit, audit_totals
    trace = get_trace(args)
    name = trace.provenance["model"]
    totals = [r for r in reference.load("printed_totals") if r["model"] == name]
    try:
        if args.against:
            result = audit(_read(args.against), trace, title=f"{name} against {args.against}")
        elif name in PRINTED:
            table, readings = PRINTED[name]
            rows = reference.load(table)
            others = [(words, get_trace(args, other)) for other, words in readings]
            result = audit(rows, trace, others, f"{name} against {rows[0]['source']}")
        elif totals:
            result = Audit(f"{name} against published totals", (), (), ())
        else:
            known = dict.fromkeys([*PRINTED, *(r["model"] for r in reference.load("printed_totals"))])
            raise UserError(f"no published figures for {name}; there are some for {', '.join(known)}, or give your own with --against FILE.csv")
        if totals and not args.against:
            result = replace(result, cells=result.cells + audit_totals(name, trace, totals))
    except ValueError as e:
        raise UserError(f"{args.against + ': ' if args.against else ''}{e}") from None
    show(args, replace(result, notes=(*result.notes, *([f"model: {trace.provenance['source']}"] if "source" in trace.provenance else []))).sheet)

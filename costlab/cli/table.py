"""`costlab table MODEL`: the per-layer table."""
from ._common import UserError, add_model, get_trace, write


def add(sub):
    """Register the command."""
    p = sub.add_parser("table", help="per-layer table in the GoogLeNet paper's format")
    add_model(p)
    p.add_argument("--style", default="auto", help="auto, paper or layers (default: auto)")
    p.add_argument("--depth", type=int, default=1, help="module depth of the layers style (default: 1)")
    p.add_argument("--convention", default="paper", help="paper (weights only, K = 1024) or macs (default: paper)")
    p.add_argument("--format", default="text", help="text, md, latex, html, csv or json (default: text)")
    p.add_argument("--strict", action="store_true", help="fail when an operation has no formula")
    p.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of the terminal")
    p.set_defaults(run=run)


def run(args):
    """Trace, tabulate, render."""
    from ..cost import UnknownOpError
    from ..render import FORMATS
    from ..tables import table
    if args.format not in FORMATS:
        raise UserError(f"unknown format {args.format!r}; choose {', '.join(FORMATS)}")
    trace = get_trace(args)
    try:
        result = table(trace, args.style, args.convention, args.depth, args.strict)
    except (ValueError, UnknownOpError) as e:
        raise UserError(str(e)) from None
    write(args.output, FORMATS[args.format](result))

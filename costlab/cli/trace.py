"""`costlab trace MODEL -o FILE`: record once, use everywhere."""
from ._common import UserError, add_model, get_trace


def add(sub):
    """Register the command."""
    p = sub.add_parser("trace", help="record a model's run in a file")
    add_model(p)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the trace file to write")
    p.set_defaults(run=run)


def run(args):
    """Trace and save."""
    trace = get_trace(args)
    try:
        trace.save(args.output)
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    print(f"{args.output}: {len(trace.ops)} operations of {trace.provenance['model']}")

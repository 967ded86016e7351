"""`costlab table MODEL`: the per-layer table."""

from ._common import UserError, add_model, add_output, get_trace, show


def add(sub):
    """Register the command."""
    p = sub.add_parser("table", help="per-layer table in the GoogLeNet paper's format")
    add_model(p)
    p.add_argument(
        "--style",
        default="auto",
        help="auto, paper, resnet or layers (default: auto, which says what it chose)",
    )
    p.add_argument(
        "--depth",
        type=int,
        help="module depth of the layers style (default: opens what holds most of the cost, and "
        "shows alike modules once)",
    )
    p.add_argument(
        "--columns",
        default="",
        metavar="NAME,...",
        help="columns to add, such as receptive-field,activations,FLOPs",
    )
    p.add_argument(
        "--convention",
        help="paper (weights only, K = 1024) or macs (all params, 25.56M, as PyTorch and timm "
        "count); "
        "default: paper for a network whose paper prints this table, otherwise macs",
    )
    p.add_argument("--strict", action="store_true", help="fail when an operation has no formula")
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, tabulate, render."""
    from ..tables import table

    trace = get_trace(args)
    try:
        result = table(
            trace,
            args.style,
            args.convention,
            args.depth,
            args.strict,
            [c for c in args.columns.split(",") if c],
        )
    except ValueError as e:
        raise UserError(str(e)) from None
    show(args, result.sheet)

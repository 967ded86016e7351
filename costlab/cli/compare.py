"""`costlab compare A B [C ...]`: networks side by side."""

from ._common import UserError, add_model, add_output, get_trace, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "compare", help="networks side by side: totals, ratios, stage by stage, published error"
    )
    add_model(p, several=True)
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace each, compare, render."""
    from ..analysis.compare import compare

    if len(args.model) < 2:
        raise UserError(
            "compare needs two models or more, for example `costlab compare googlenet alexnet`"
        )
    show(args, compare([get_trace(args, spec) for spec in args.model]).sheet)

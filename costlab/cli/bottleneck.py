"""`costlab bottleneck`: naive against reduced Inception modules."""

from ._common import UserError, add_mode, add_output, default, refuse, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "bottleneck", help="naive against reduced Inception modules, module by module and chained"
    )
    p.add_argument(
        "--widths",
        metavar="N,...",
        help="one module of your own: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj",
    )
    p.add_argument("--c-in", type=int, help="its input channels (default: 192)")
    p.add_argument("--grid", type=int, help="its grid side (default: 28)")
    add_mode(p)
    p.add_argument(
        "--diagram",
        metavar="FILE",
        help="the first module naive and reduced, side by side, as .svg, .pdf, .png or .dot",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, render."""
    from ..analysis.bottleneck import Bottleneck, bottleneck, pair

    if not args.widths:
        refuse(args, ("c_in", "grid"), "is of a module of your own: give its --widths too")
    default(args, c_in=192, grid=28)
    try:
        if args.widths:
            widths = [int(w) for w in args.widths.split(",")]
            result = Bottleneck(
                (pair("module", args.c_in, args.grid, widths, args.mode == "train"),),
                ("counts by tracing both; params with biases; one MAC = one multiply-add",),
            )
        else:
            result = bottleneck(args.mode == "train")
    except ValueError as e:
        text = str(e)
        raise UserError(
            text
            if "widths" in text
            else f"cannot read --widths {args.widths!r}; write six numbers as 64,96,128,16,32,32"
        ) from None
    if args.diagram:
        from .diagram import draw_modules

        first = result.pairs[0]
        draw_modules(
            args.diagram, first.traces, [f"{first.name}, {word}" for word in ("naive", "reduced")]
        )
    show(args, result.sheet)

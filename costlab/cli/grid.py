"""`costlab grid`: grid reductions compared."""

from ._common import UserError, add_model, add_output, default, get_trace, refuse, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "grid",
        help="grid reductions: pool first, pool last, in parallel, Figure 10's module; or those "
        "of a model",
    )
    add_model(p, optional=True)
    p.add_argument("--d", type=int, help="side of the input grid (default: 35)")
    p.add_argument("--c-in", type=int, help="input channels (default: 320)")
    p.add_argument("--c-out", type=int, help="output channels (default: 640)")
    p.add_argument("--kernel", type=int, help="kernel of the convolution (default: 3)")
    p.add_argument("--pool", help="valid (3x3/2), padded (3x3/2) or 2x2 (default: valid)")
    p.add_argument(
        "--body", help="conv or inception: what is done beside the pooling (default: conv)"
    )
    p.add_argument(
        "--diagram", metavar="FILE", help="the schemes side by side, as .svg, .pdf, .png or .dot"
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace the schemes, or find a model's, render."""
    from ..analysis.grid import grid, reduction_sheet, reductions

    if args.model:
        refuse(
            args,
            ("d", "c_in", "c_out", "kernel", "pool", "body"),
            "sets the case of the schemes; a model has its own: leave it out, or leave out the "
            "model",
        )
        if args.diagram:
            raise UserError("--diagram draws the schemes; of a model take costlab diagram")
        from ..cost import total

        if args.mode == "train":
            raise UserError(
                "a model's grid reductions are counted in the forward pass; leave out --mode"
            )
        trace = get_trace(args)
        return show(args, reduction_sheet(args.model, reductions(trace), total(trace)))
    refuse(args, ("input", "arg"), "is of a model; name one, or leave it out")
    default(args, d=35, c_in=320, c_out=640, kernel=3, pool="valid", body="conv")
    try:
        result = grid(
            args.d,
            args.c_in,
            args.c_out,
            args.kernel,
            args.pool,
            args.body,
            train=args.mode == "train",
        )
    except ValueError as e:
        raise UserError(str(e)) from None
    if args.diagram:
        from .diagram import draw_modules

        draw_modules(args.diagram, [s.trace for s in result.schemes])
    show(args, result.sheet)

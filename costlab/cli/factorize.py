"""`costlab factorize [MODEL]`: the rules of factorized convolutions, or rewrites of a model for real."""

from functools import partial

from ._common import (
    UserError,
    add_model,
    add_output,
    default,
    get_model,
    get_trace,
    is_trace,
    refuse,
    show,
)
from .trace import add_measuring, measuring


MOST = 4  # rules in one picture


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "factorize",
        help="savings of factorized convolutions: the rules, or rewrites of a model, traced again",
    )
    add_model(p, optional=True)
    p.add_argument(
        "--rewrite",
        action="append",
        metavar="NAME",
        help="only this rewrite: stacked-3x3, 1xn-nx1, depthwise-separable, bottleneck; repeat for several",
    )
    p.add_argument(
        "--mid",
        default="default",
        metavar="WIDTH",
        help="middle width: in, out, sqrt, a number, or each rule's default",
    )
    p.add_argument(
        "--apply",
        action="append",
        default=[],
        metavar="PATH",
        help="rewrite this convolution (PATH, PATH:REWRITE or best) and trace again; repeat for several",
    )
    p.add_argument("--top", type=int, help="how many candidates to list (default: 20; 0 for all)")
    p.add_argument("--c-in", type=int, help="input channels of the rule table (default: 64)")
    p.add_argument("--c-out", type=int, help="output channels of the rule table (default: 64)")
    p.add_argument("--grid", type=int, help="grid side of the rule table (default: 28)")
    p.add_argument(
        "--kernel",
        type=int,
        action="append",
        help="only rules, or a model's convolutions, of this kernel; repeat for several",
    )
    p.add_argument("--padding", help="same or valid, for the rule table (default: same)")
    p.add_argument(
        "--diagram",
        metavar="FILE",
        help="the rules, or with --apply the rewritten convolutions, before and after, as .svg, .pdf, .png or .dot",
    )
    p.add_argument(
        "--measure",
        action="store_true",
        help="with --apply: measure both for real, with random weights",
    )
    add_measuring(p)
    p.add_argument(
        "--roofline",
        metavar="FILE",
        help="with --measure: the roofline with arrows from before to after, as .svg, .pdf or .png",
    )
    add_output(p)
    p.set_defaults(run=run)


def _pair(args):
    if not args.measure:
        return None
    from ..measure import paired

    return partial(paired, dtype=args.dtype, channels_last=args.channels_last)


def run(args):
    """Tabulate the rules, rank the candidates, or apply some."""
    from ..analysis import factorize as f
    from ..cost import total
    from ..trace.tracer import TraceError, trace

    mid = int(args.mid) if args.mid.isdecimal() and args.mid.isascii() else args.mid
    try:
        if args.model is None:
            refuse(
                args, ("apply", "top", "input", "arg"), "is of a model; name one, or leave it out"
            )
            default(args, c_in=64, c_out=64, grid=28, padding="same")
            if mid in ("in", "out", "sqrt"):
                mid = f.middle_width(f.Conv(args.c_in, args.c_out, (3, 3)), "1xn-nx1", mid)
            if args.measure or args.roofline:
                raise ValueError("--measure and --roofline are for a MODEL with --apply")
            if not isinstance(mid, int) and mid != "default":
                raise ValueError(
                    f"unknown middle width {mid!r}; choose in, out, sqrt, default or a number from 1"
                )
            table = f.rules(
                args.c_in,
                args.c_out,
                None if mid == "default" else mid,
                args.grid,
                args.padding,
                kernels=args.kernel,
                rewrites=args.rewrite,
                train=args.mode == "train",
            )
            if args.diagram:
                from .diagram import draw_modules

                if len(table.rules) > MOST:
                    raise ValueError(
                        f"--diagram draws up to {MOST} rules, and these are {len(table.rules)}: choose with --kernel or --rewrite"
                    )
                draw_modules(
                    args.diagram,
                    [t for r in table.rules for t in r.traces],
                    [f"{r.name}: {w}" for r in table.rules for w in ("before", "after")],
                )
            show(args, table.sheet)
            return 0
        refuse(
            args,
            ("c_in", "c_out", "grid", "padding"),
            "sets the case of the rule table; a model has its own: leave it out, or leave out the model",
        )
        default(args, top=20)
        if args.measure and not args.apply or args.roofline and not args.measure:
            raise ValueError(
                "--measure times what --apply rewrites, and --roofline draws what --measure gives; name all that it takes"
            )
        if is_trace(args.model) and not args.apply:
            first = get_trace(args)
        else:
            loaded = get_model(args, real=args.measure)
            model, inputs, kwargs = loaded.model, loaded.inputs, loaded.kwargs
            first = trace(
                model,
                inputs,
                kwargs,
                device="meta" if args.measure else args.device,
                spec=args.model,
            )
        found, left = f.candidates(first, args.rewrite, mid), {}
        found = [c for c in found if not args.kernel or set(c.conv.kernel) <= set(args.kernel)]
        if not is_trace(args.model):
            found, left = f.replaceable(model, first, found)
        if not args.apply:
            if args.mode == "train":
                raise ValueError(
                    "the ranking counts the forward pass; with --apply, --mode train counts the backward pass before and after"
                )
            if args.diagram:
                raise ValueError("--diagram shows what --apply rewrites; name something to apply")
            show(args, f.candidate_sheet(args.model, found, total(first), left, args.top or None))
            return 0
        result = f.factorize(
            model,
            inputs,
            kwargs,
            f.choose(found, args.apply, left),
            args.model,
            args.device,
            tracer=measuring(args)
            if args.measure
            else partial(trace, backward=args.mode == "train"),
            pair=_pair(args),
        )
    except (ValueError, TraceError) as e:
        raise UserError(str(e)) from None
    if args.diagram:
        from ..analysis.diagram import rewritten
        from ..render.diagram import pair
        from .diagram import draw

        before, after = rewritten(result.traces, [c.path for c in result.chosen])
        draw(args.diagram, pair(before, after), f"before: {before.alt}; after: {after.alt}")
    if args.roofline:
        from ..analysis.roofline import roofline
        from .chart import draw as draw_chart

        lines = [roofline(t) for t in result.traces]
        draw_chart(args.roofline, "roofline", lines, lines[1].sheet)
    show(args, result.sheet)
    return 0 if result.agrees else 1

"""`costlab chart KIND [MODEL] -o FILE`: charts as SVG, PDF or PNG, with their numbers beside as
CSV."""

import os

from ._common import UserError, add_model, default, get_trace, missing, refuse, write

_TAKES = {
    "stages": ("style", "depth"),
    "cumulative": ("style", "depth"),
    "savings": ("c_in", "c_out", "kernel", "measured", "on"),
    "grid": ("d", "c_in", "c_out", "kernel", "measured", "on"),
    "head": ("c_in",),
    "gradients": ("iterations",),
    "roofline": ("style", "depth", "against"),
}
KINDS = (
    "stages",
    "cumulative",
    "savings",
    "grid",
    "bottleneck",
    "head",
    "aux",
    "pareto",
    "gradients",
    "roofline",
    "memory",
)


def add(sub):
    """Register the command."""
    p = sub.add_parser("chart", help="charts, with their numbers as CSV: " + ", ".join(KINDS))
    p.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    add_model(p, optional=True)
    p.add_argument("--style", help="rows of the network, as in costlab table (default: auto)")
    p.add_argument(
        "--depth",
        type=int,
        help="module depth of the layers style (default: opens what holds most of the cost)",
    )
    p.add_argument("--c-in", type=int, help="input channels (savings: 64, grid: 320, head: 256)")
    p.add_argument("--c-out", type=int, help="output channels (savings: 64, grid: 640)")
    p.add_argument("--d", type=int, help="grid side of the grid chart (default: 35)")
    p.add_argument("--kernel", type=int, help="kernel (savings: the curve's, 5; grid: 3)")
    p.add_argument(
        "--iterations", type=int, help="training iterations of the gradients chart (default: 20)"
    )
    p.add_argument(
        "--against",
        metavar="TRACE",
        help="roofline: a second measured trace, with arrows to its blocks",
    )
    p.add_argument(
        "--measured",
        metavar="FOLDER",
        help="savings and grid: MACs saved against time saved, from the measured traces there",
    )
    p.add_argument(
        "--on",
        metavar="WORDS",
        help="of these traces, those of a device, dtype or layout: h100, 'h200 fp32', bf16",
    )
    p.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="FILE.svg, .pdf or .png; FILE.csv is written beside",
    )
    p.set_defaults(run=run)


def _suffix(output):
    suffix = os.path.splitext(output)[1]
    if suffix not in (".svg", ".pdf", ".png"):
        raise UserError(f"cannot tell the format of {output!r}; name it .svg, .pdf or .png")
    return suffix


def draw(output, kind, results, sheet):
    """Write the picture of a kind of chart, and its numbers beside."""
    from ..render import charts, csv_text

    suffix = _suffix(output)
    try:
        picture = charts.render(getattr(charts, kind), *results, format=suffix[1:])
    except ModuleNotFoundError as e:
        raise missing(e, f"this chart needs {e.name}; pip install 'costlab[charts]'") from None
    write(output.removesuffix(suffix) + ".csv", csv_text(sheet))
    write(output, picture)


def _measured(args):
    """What the rules save in measured time, and its numbers."""
    from ..analysis.savings import factorization_savings, grid_savings, joined_sheet
    from ..measure.runs import load_runs, runs_on

    if any(getattr(args, name) is not None for name in ("c_in", "c_out", "kernel")) or (
        args.kind == "grid" and args.d is not None
    ):
        raise UserError("--measured shows what was measured; leave out the widths, grid and kernel")
    if not os.path.isdir(args.measured):
        raise UserError(f"there is no folder {args.measured}")
    try:
        runs = runs_on(load_runs(args.measured), args.on or "")
    except ValueError as e:
        raise UserError(str(e)) from None
    found = (factorization_savings if args.kind == "savings" else grid_savings)(runs)
    if not found:
        raise UserError(
            f"{args.measured} holds no rule that was measured on both sides; "
            "python reports/measure.py makes them"
        )
    return found, joined_sheet(found)


def run(args):
    """Compute, draw, write the picture and its numbers."""
    _suffix(args.output)
    if args.kind not in KINDS:
        raise UserError(f"unknown chart {args.kind!r}; choose {', '.join(KINDS)}")
    if args.kind in ("stages", "cumulative", "gradients", "roofline", "memory") and not args.model:
        raise UserError(
            f"the {args.kind} chart needs a model: costlab chart {args.kind} googlenet -o "
            f"{args.output}"
        )
    if args.kind in ("savings", "grid", "bottleneck", "head", "pareto") and (
        args.model or args.input or args.arg
    ):
        raise UserError(f"the {args.kind} chart takes no model and no input")
    options = {name for names in _TAKES.values() for name in names}
    refuse(
        args,
        sorted(options.difference(_TAKES.get(args.kind, ()))),
        f"does nothing for the {args.kind} chart; leave it out",
    )
    if args.on and not args.measured:
        raise UserError("--on chooses among measured traces; add --measured FOLDER")
    if args.measured:
        found, sheet = _measured(args)
        draw(args.output, "time_savings", (found,), sheet)
        return
    default(args, style="auto", d=35, iterations=20)
    try:
        results, sheet = _results(args)
    except ModuleNotFoundError as e:
        raise missing(e, f"this chart needs {e.name}; pip install 'costlab[probe]'") from None
    except ValueError as e:
        raise UserError(str(e)) from None
    draw(args.output, args.kind, results, sheet)


def _or(value, default):
    return default if value is None else value


def _results(args):
    if args.kind in ("stages", "cumulative"):
        from ..analysis.profile import profile

        result = profile(get_trace(args), args.style, args.depth)
        if not result.steps:
            raise ValueError(f"{args.model} has no params and no MACs to chart")
        return (result,), result.sheet
    if args.kind == "memory":
        from ..analysis.memory import memory

        result = memory(get_trace(args))
        return (result,), result.curve
    if args.kind == "roofline":
        from ..analysis.roofline import roofline

        result = roofline(get_trace(args), args.style, args.depth)
        second = (
            roofline(get_trace(args, args.against), args.style, args.depth)
            if args.against
            else None
        )
        return (result, second), result.sheet
    if args.kind == "savings":
        from ..analysis.factorize import curve, rules, savings_sheet

        c_in, c_out = _or(args.c_in, 64), _or(args.c_out, 64)
        result = rules(c_in, c_out), curve(c_in, c_out, _or(args.kernel, 5))
        return result, savings_sheet(*result)
    if args.kind == "grid":
        from ..analysis.grid import grid

        result = grid(args.d, _or(args.c_in, 320), _or(args.c_out, 640), _or(args.kernel, 3))
    elif args.kind == "bottleneck":
        from ..analysis.bottleneck import bottleneck

        result = bottleneck()
    elif args.kind == "head":
        from ..analysis.head import heads

        result = heads(_or(args.c_in, 256))
    elif args.kind == "aux":
        from ..analysis.aux import WITH_HEADS, aux_costs

        result = aux_costs([args.model] if args.model else WITH_HEADS)
    elif args.kind == "pareto":
        from ..analysis.profile import pareto

        result = pareto()
    else:
        from .. import zoo
        from ..analysis import aux

        name = args.model
        if name not in aux.WITH_HEADS:
            raise ValueError(
                f"{name} has no auxiliary classifiers in the zoo; choose "
                f"{', '.join(aux.WITH_HEADS)}"
            )
        result = aux.probe(
            lambda: zoo.build(name),
            lambda: aux.digits(zoo.input_shape(name)[1:], 1000, 8, 0),
            with_heads=lambda: zoo.build(name, aux=True),
            name=name,
            iterations=args.iterations,
            data="scikit-learn's handwritten digits, scaled up",
        )
    return (result,), result.sheet

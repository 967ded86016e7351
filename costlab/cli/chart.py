"""`costlab chart KIND [MODEL] -o FILE`: charts as SVG, PDF or PNG, with their numbers beside as
CSV."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import costlab

from .._spelling import choice
from ._errors import UserError, errors, refuse
from ._extras import require
from ._files import CHART
from ._models import get_profile, get_trace
from ._options import add_look, add_model, add_profile, add_rows
from ._output import save_chart
from ._progress import working
from ._types import Commands, Options


@dataclass(frozen=True)
class _Kind:
    """A kind of chart: how it is drawn, from how many models, and which options it takes. What
    takes several finds them in `args.models`."""

    draw: Callable[[Any], Any]
    least: int = 1
    most: int = 1
    options: tuple[str, ...] = ()


def _profile(args: argparse.Namespace):
    return costlab.profile(get_trace(args), style=args.style or "auto", depth=args.depth)


def _roofline(args: argparse.Namespace):
    def of(spec: str):
        return costlab.roofline(get_trace(args, spec), style=args.style or "auto", depth=args.depth)

    return of(args.model).chart(of(args.against) if args.against else None)


def _compare(args: argparse.Namespace):
    return costlab.compare(*(get_trace(args, spec) for spec in args.models)).chart()


def _waterfall(args: argparse.Namespace):
    base, head = (get_trace(args, spec) for spec in args.models)
    return costlab.diff(base, head, style=args.style or "auto", depth=args.depth).chart()


def _times(args: argparse.Namespace):
    if args.measured and args.models:
        raise UserError("the times chart takes traces or --measured FOLDER; leave out one of them")
    if args.measured:
        return costlab.times(args.measured, on=args.on or "").chart()
    if not args.models:
        raise UserError(
            "the times chart needs measured traces: costlab chart times A.trace B.trace -o "
            f"{args.output}, or --measured FOLDER"
        )
    return costlab.times([get_trace(args, spec) for spec in args.models]).chart()


def _savings(args: argparse.Namespace):
    """The chart of the rules of factorization, or of what they saved in measured traces."""
    if args.measured:
        return _measured(args, "factorize")
    table = costlab.rules(**_given(args, "c_in", "c_out"), profile=get_profile(args))
    return table.chart(**_given(args, "kernel"))


def _grid(args: argparse.Namespace):
    if args.measured:
        return _measured(args, "grid")
    given = _given(args, "d", "c_in", "c_out", "kernel")
    return costlab.grid(**given, profile=get_profile(args)).chart()


def _towers(args: argparse.Namespace):
    chosen = [args.model] if args.model else []
    traces = [get_trace(args, spec) for spec in (*chosen, *(args.beside or ()))]
    return costlab.towers(traces) if traces else costlab.towers()


def _mlpconv(args: argparse.Namespace):
    given = _given(args, "c_in", "kernel")
    if args.widths:
        given["widths"] = _integers(args.widths)
    return costlab.mlpconv(**given)


def _probed(args: argparse.Namespace):
    if not args.model.endswith(".json"):  # of a record nothing is trained
        require("probe", "the gradients chart")
    return costlab.probe(args.model, **_given(args, "iterations"))


def _integers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"cannot read --widths {text}; write 96,96,96") from None


def _measured(args: argparse.Namespace, rules: str):
    """What the rules save in measured time."""
    if _given(args, "d", "c_in", "c_out", "kernel", "profile"):
        raise UserError(
            "--measured shows what was measured; leave out the widths, grid, kernel and --profile"
        )
    return costlab.savings(args.measured, of=rules, on=args.on or "").chart()


def _given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that were given, by name; the public functions have the defaults."""
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


_KINDS = {
    "stages": _Kind(lambda a: _profile(a).chart("stages"), options=("style", "depth", "profile")),
    "cumulative": _Kind(
        lambda a: _profile(a).chart("cumulative"), options=("style", "depth", "profile")
    ),
    "savings": _Kind(_savings, 0, 0, ("c_in", "c_out", "kernel", "measured", "on", "profile")),
    "grid": _Kind(_grid, 0, 0, ("d", "c_in", "c_out", "kernel", "measured", "on", "profile")),
    "bottleneck": _Kind(lambda a: costlab.bottleneck().chart(), 0, 0),
    "head": _Kind(lambda a: costlab.head(**_given(a, "c_in")).chart(), 0, 0, ("c_in",)),
    "aux": _Kind(lambda a: costlab.aux(a.model or ()).chart(), 0),
    "pareto": _Kind(lambda a: costlab.pareto().chart(), 0, 0),
    "gradients": _Kind(
        lambda a: _probed(a).chart(),
        options=("iterations",),
    ),
    "roofline": _Kind(_roofline, options=("style", "depth", "against")),
    "memory": _Kind(lambda a: costlab.memory(get_trace(a)).chart()),
    "fields": _Kind(
        lambda a: costlab.fields(*([a.kernels] if a.kernels else [])).chart(), 0, 0, ("kernels",)
    ),
    "mixing": _Kind(
        lambda a: costlab.mixing(**_given(a, "c_in", "c_out")).chart(), 0, 0, ("c_in", "c_out")
    ),
    "mlpconv": _Kind(lambda a: _mlpconv(a).chart(), 0, 0, ("c_in", "kernel", "widths")),
    "saturation": _Kind(lambda a: costlab.saturation().chart(), 0, 0),
    "towers": _Kind(lambda a: _towers(a).chart(), 0, 1, ("beside",)),
    "compare": _Kind(_compare, 2, 5, ("profile",)),
    "waterfall": _Kind(_waterfall, 2, 2, ("style", "depth", "profile")),
    "times": _Kind(_times, 0, 1000, ("measured", "on")),
}
KINDS = tuple(_KINDS)


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "chart",
        help="draw a chart, and write its numbers as CSV",
        example="costlab chart cumulative googlenet -o googlenet-cumulative.svg",
    )
    p.add_argument("kind", metavar="KIND", help=f"what to draw: {', '.join(KINDS)}")
    add_model(p, several=True, optional=True)
    add_rows(p.add_argument_group("rows of a network"), style=None)
    _add_convolutions(p.add_argument_group("sizes of convolutions and feature maps"))
    _add_beside(p.add_argument_group("what else to show"))
    add_profile(p)
    look = p.add_argument_group("look and output")
    add_look(look)
    look.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="FILE.svg, .pdf or .png; the numbers are written to FILE.csv",
    )
    p.set_defaults(run=run, writes=CHART)


def _add_convolutions(options: Options) -> None:
    """The case that a chart of single convolutions and modules shows."""
    options.add_argument(
        "--c-in",
        type=int,
        metavar="N",
        help="input channels (defaults: savings 64, grid 320, head 256, mixing 4, mlpconv 3)",
    )
    options.add_argument(
        "--c-out",
        type=int,
        metavar="N",
        help="output channels (defaults: savings 64, grid 640, mixing 2)",
    )
    options.add_argument(
        "--d", type=int, metavar="N", help="grid: side of the input grid (default: 35)"
    )
    options.add_argument(
        "--kernel",
        type=int,
        metavar="N",
        help="kernel size (defaults: savings 5, for its curve; grid 3; mlpconv 11)",
    )
    options.add_argument(
        "--kernels",
        metavar="CHAIN",
        action="append",
        help="fields: kernels of consecutive convolutions, such as 5x5 or 1x3+3x1; repeat it to "
        "draw several chains side by side",
    )
    options.add_argument(
        "--widths",
        metavar="N,...",
        help="mlpconv: number of filters in each layer (default: 96,96,96)",
    )


def _add_beside(options: Options) -> None:
    """What a chart shows beside its model: other models, measured traces, a probe's length."""
    options.add_argument(
        "--beside",
        metavar="MODEL",
        action="append",
        help="towers: a network to draw beside MODEL; repeat it for several (default without "
        "MODEL: alexnet, vgg16 and googlenet)",
    )
    options.add_argument(
        "--iterations",
        type=int,
        metavar="N",
        help="gradients: number of training iterations (default: 10)",
    )
    options.add_argument(
        "--against",
        metavar="TRACE",
        help="roofline: a second measured trace; arrows lead from each block to its counterpart",
    )
    options.add_argument(
        "--measured",
        metavar="FOLDER",
        help="a folder of measured traces; savings and grid compare the MACs saved with the time "
        "saved, and times shows all of them",
    )
    options.add_argument(
        "--on",
        metavar="WORDS",
        help="with --measured: use only traces of this device, dtype or layout, such as h100, "
        "bf16 or 'h200 fp32'",
    )


def run(args: argparse.Namespace) -> int | None:
    """Compute, draw, write the picture and its numbers."""
    kind = _require_kind(args)
    with working(f"computing the {args.kind} chart"), errors():
        picture = kind.draw(args)
    save_chart(args, args.output, picture)


def _require_kind(args: argparse.Namespace) -> _Kind:
    """The kind of chart that the arguments name, which takes all that is given."""
    kind = _KINDS.get(args.kind)
    if kind is None:
        raise UserError(f"unknown chart {args.kind!r}{choice(args.kind, KINDS)}")
    _require_models(args, kind)
    every = {name for other in _KINDS.values() for name in other.options}
    refuse(
        args,
        sorted(every.difference(kind.options)),
        f"does nothing for the {args.kind} chart; leave it out",
    )
    if args.on and not args.measured:
        raise UserError("--on chooses among measured traces; add --measured FOLDER")
    return kind


def _require_models(args: argparse.Namespace, kind: _Kind) -> None:
    """Set `args.models` to the models that were named, as many as the chart takes, and `args.model`
    to the first."""
    args.models = args.model
    args.model = args.models[0] if args.models else None
    if len(args.models) < kind.least:
        needs, example = (
            ("a model", "googlenet") if kind.least == 1 else ("two models", "googlenet alexnet")
        )
        raise UserError(
            f"the {args.kind} chart needs {needs}: costlab chart {args.kind} {example} -o "
            f"{args.output}"
        )
    if not kind.most and (args.models or args.input or args.arg):
        raise UserError(f"the {args.kind} chart takes no model and no input")
    if len(args.models) > kind.most:
        most = "one model" if kind.most == 1 else f"{kind.most} models at most"
        raise UserError(f"the {args.kind} chart takes {most}; leave out {args.models[kind.most]}")

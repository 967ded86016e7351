"""`costlab factorize [MODEL]`: the rules of factorized convolutions, or a model rewritten for
real."""

from __future__ import annotations

import argparse

from typing import TYPE_CHECKING, Any

import costlab

from ..api._columns import factorization_columns
from ._errors import UserError, default, errors, refuse
from ._models import get_model, get_profile
from ._options import (
    add_chart,
    add_diagram,
    add_measuring,
    add_model,
    add_output,
    add_profile,
)
from ._output import draw, save_chart, show
from ._progress import working
from ._types import Commands, Options
from .trace import measuring

if TYPE_CHECKING:
    from ..api._factorize import Ranking


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "factorize",
        help="show what factorized convolutions save, by rule or in a model",
        example="costlab factorize googlenet --top 5",
    )
    add_model(p, optional=True)
    _add_rewrites(p.add_argument_group("rewrites"))
    _add_case(p.add_argument_group("rule table (without MODEL)"))
    _add_measured(p.add_argument_group("measurement (with --apply)"))
    add_profile(p)
    add_output(p)
    p.set_defaults(run=run, columns_of=_columns)


def _add_rewrites(options: Options) -> None:
    """Which convolutions are rewritten, and how."""
    options.add_argument(
        "--rewrite",
        action="append",
        metavar="NAME",
        help="consider only this rewrite: stacked-3x3, 1xn-nx1, depthwise-separable or "
        "bottleneck; repeat it for several",
    )
    options.add_argument(
        "--kernel",
        type=int,
        action="append",
        metavar="N",
        help="consider only convolutions with this kernel size; repeat it for several",
    )
    options.add_argument(
        "--mid",
        default="default",
        metavar="WIDTH",
        help="channels between the two convolutions: in, out, sqrt or a number (default: by the "
        "rule)",
    )
    options.add_argument(
        "--apply",
        action="append",
        default=[],
        metavar="PATH",
        help="rewrite the convolution at PATH and trace the model again: PATH, PATH:REWRITE or "
        "best; repeat it for several",
    )
    options.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="number of candidates to list; 0 lists all (default: 20)",
    )
    add_diagram(options, "draw the rules, or the convolutions that --apply rewrites")


def _add_case(options: Options) -> None:
    """The convolution that the rule table is computed for."""
    options.add_argument("--c-in", type=int, metavar="N", help="input channels (default: 64)")
    options.add_argument("--c-out", type=int, metavar="N", help="output channels (default: 64)")
    options.add_argument("--grid", type=int, metavar="N", help="side of the grid (default: 28)")
    options.add_argument("--padding", help="same or valid (default: same)")


def _add_measured(options: Options) -> None:
    """How the model is timed before and after."""
    options.add_argument(
        "--measure",
        action="store_true",
        help="time the model before and after, with random weights",
    )
    add_measuring(options)
    add_chart(
        options,
        "with --measure: draw a roofline with arrows from before to after",
        name="--roofline",
    )


def _columns(args: argparse.Namespace):
    """The columns of rewrites that are applied; a ranking is quick."""
    return factorization_columns() if args.apply else ()


def run(args: argparse.Namespace) -> int | None:
    """Tabulate the rules, rank the candidates, or apply some."""
    if args.model is None:
        return _rules(args)
    _require_a_case(args)
    if args.diagram and not args.apply:
        raise UserError("--diagram shows what --apply rewrites; name something to apply")
    default(args, top=20)
    with working("looking for rewrites"), errors():
        ranking = _ranking(args)
    if args.apply:
        with errors():
            return _applied(args, ranking)
    if args.mode == "train":
        raise UserError(
            "the ranking counts the forward pass; with --apply, --mode train counts the backward "
            "pass before and after"
        )
    show(args, ranking.sheet)
    return 0


def _middle(text: str) -> int | str:
    return int(text) if text.isdecimal() and text.isascii() else text


def _rules(args: argparse.Namespace):
    refuse(args, ("apply", "top", "input", "arg"), "applies to a model; name one, or leave it out")
    default(args, c_in=64, c_out=64, grid=28, padding="same")
    if args.measure or args.roofline:
        raise UserError("--measure and --roofline are for a MODEL with --apply")
    with working("counting the rules"), errors():
        table = costlab.rules(
            c_in=args.c_in,
            c_out=args.c_out,
            mid=_middle(args.mid),
            grid=args.grid,
            padding=args.padding,
            kernels=args.kernel,
            rewrites=args.rewrite,
            train=args.mode == "train",
            profile=get_profile(args),
        )
    if args.diagram:
        draw(args.diagram, table.diagram())
    show(args, table.sheet)
    return 0


def _require_a_case(args: argparse.Namespace):
    """Refuse options that do nothing for a model."""
    refuse(
        args,
        ("c_in", "c_out", "grid", "padding"),
        "applies to the rule table, not to a model; leave it out, or leave out the model",
    )
    if (args.measure and not args.apply) or (args.roofline and not args.measure):
        raise UserError("--measure needs --apply, and --roofline needs --measure")


def _ranking(args: argparse.Namespace):
    model = get_model(args)
    return costlab.factorize(
        model,
        rewrites=args.rewrite,
        mid=_middle(args.mid),
        kernels=args.kernel or (),
        device="meta" if args.measure else args.device,
        top=args.top or None,
        profile=get_profile(args),
    )


def _applied(args: argparse.Namespace, ranking: Ranking):
    how: dict[str, Any] = measuring(args) if args.measure else {}
    with working("tracing the rewritten model"):
        result = ranking.apply(
            *args.apply,
            device=args.device,
            train=args.mode == "train",
            measure=args.measure,
            **how,
        )
    if args.diagram:
        draw(args.diagram, result.diagram())
    if args.roofline:
        before, after = (costlab.roofline(t) for t in result.traces)
        save_chart(args, args.roofline, before.chart(after), after.sheet)
    show(args, result.sheet, costly=args.measure)
    return 0 if result.agrees else 1

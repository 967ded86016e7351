"""`costlab factorize [MODEL]`: the rules of factorized convolutions, or a model rewritten for
real."""

from __future__ import annotations

import argparse

from typing import TYPE_CHECKING, Any

import costlab

from ._errors import UserError, default, errors, progress_line, refuse
from ._models import add_model, get_model
from ._output import add_look, add_output, draw, save_chart, show
from ._types import Commands
from .trace import add_measuring, measuring

if TYPE_CHECKING:
    from ..api._factorize import Ranking


def add(sub: Commands) -> None:
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
        help="only this rewrite: stacked-3x3, 1xn-nx1, depthwise-separable, bottleneck; repeat for "
        "several",
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
        help="rewrite this convolution (PATH, PATH:REWRITE or best) and trace again; repeat for "
        "several",
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
        help="the rules, or with --apply the rewritten convolutions, before and after, as .svg, "
        ".pdf, .png or .dot",
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
    add_look(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Tabulate the rules, rank the candidates, or apply some."""
    if args.model is None:
        return _rules(args)
    _require_a_case(args)
    if args.diagram and not args.apply:
        raise UserError("--diagram shows what --apply rewrites; name something to apply")
    default(args, top=20)
    with errors():
        ranking = _ranking(args)
        if args.apply:
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
    refuse(args, ("apply", "top", "input", "arg"), "is of a model; name one, or leave it out")
    default(args, c_in=64, c_out=64, grid=28, padding="same")
    if args.measure or args.roofline:
        raise UserError("--measure and --roofline are for a MODEL with --apply")
    with errors():
        table = costlab.rules(
            c_in=args.c_in,
            c_out=args.c_out,
            mid=_middle(args.mid),
            grid=args.grid,
            padding=args.padding,
            kernels=args.kernel,
            rewrites=args.rewrite,
            train=args.mode == "train",
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
        "sets the case of the rule table; a model has its own: leave it out, or leave out the "
        "model",
    )
    if (args.measure and not args.apply) or (args.roofline and not args.measure):
        raise UserError(
            "--measure times what --apply rewrites, and --roofline draws what --measure gives; "
            "name all that it takes"
        )


def _ranking(args: argparse.Namespace):
    model = get_model(args)
    return costlab.factorize(
        model,
        rewrites=args.rewrite,
        mid=_middle(args.mid),
        kernels=args.kernel or (),
        device="meta" if args.measure else args.device,
        top=args.top or None,
    )


def _applied(args: argparse.Namespace, ranking: Ranking):
    how: dict[str, Any] = measuring(args) if args.measure else {}
    result = ranking.apply(
        *args.apply,
        device=args.device,
        train=args.mode == "train",
        measure=args.measure,
        **how,
    )
    progress_line("")
    if args.diagram:
        draw(args.diagram, result.diagram())
    if args.roofline:
        before, after = (costlab.roofline(t) for t in result.traces)
        save_chart(args, args.roofline, before.chart(after), after.sheet)
    show(args, result.sheet)
    return 0 if result.agrees else 1

"""`costlab compare A B [C ...]`: networks side by side."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors
from ._models import get_trace
from ._options import add_diagram, add_model, add_output, add_profile, add_rate
from ._output import draw, show
from ._progress import working
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "compare",
        help="compare networks: totals, ratios, stages and published errors",
        example="costlab compare googlenet alexnet",
    )
    add_model(p, several=True)
    p.add_argument(
        "--against",
        metavar="BASE",
        help="compare each MODEL with this one: one row per model, with the change in percent",
    )
    add_diagram(
        p, "draw the networks side by side on one scale, and mark the differences between two"
    )
    add_profile(p)
    add_rate(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace each, compare, render."""
    if args.against:
        return show(args, _variants(args).sheet)
    if len(args.model) < 2:
        raise UserError(
            f"compare needs two models or more: costlab compare {args.model[0]} resnet50"
        )
    traces = [get_trace(args, spec) for spec in args.model]
    with working("comparing"), errors():
        comparison = costlab.compare(*traces)
    if args.diagram:
        draw(args.diagram, comparison.diagram())
    show(args, comparison.sheet)


def _variants(args: argparse.Namespace):
    """The models as variants of one base."""
    if args.diagram:
        raise UserError("--diagram draws models beside each other; leave out --against")
    base, *others = (get_trace(args, spec) for spec in (args.against, *args.model))
    return costlab.variants(base, *others)

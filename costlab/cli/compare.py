"""`costlab compare A B [C ...]`: networks side by side."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors
from ._models import add_model, get_trace
from ._output import add_output, draw, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "compare", help="networks side by side: totals, ratios, stage by stage, published error"
    )
    add_model(p, several=True)
    p.add_argument(
        "--diagram",
        metavar="FILE",
        help="draw them beside each other on one scale, of two what differs marked, as .svg, .pdf, "
        ".png or .dot",
    )
    p.add_argument(
        "--against",
        metavar="BASE",
        help="one base for all of them: a row each, with the change from it in percent",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace each, compare, render."""
    if args.against:
        return show(args, _variants(args).sheet)
    traces = [get_trace(args, spec) for spec in args.model]
    with errors():
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

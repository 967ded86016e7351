"""`costlab grid`: grid reductions compared."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, default, errors, refuse
from ._models import add_model, get_trace
from ._output import add_output, draw, show
from ._types import Commands


def add(sub: Commands) -> None:
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


def run(args: argparse.Namespace) -> int | None:
    """Trace the schemes, or find a model's, render."""
    if args.model:
        return _of_a_model(args)
    refuse(args, ("input", "arg"), "is of a model; name one, or leave it out")
    default(args, d=35, c_in=320, c_out=640, kernel=3, pool="valid", body="conv")
    with errors():
        result = costlab.grid(
            d=args.d,
            c_in=args.c_in,
            c_out=args.c_out,
            kernel=args.kernel,
            pool=args.pool,
            body=args.body,
            train=args.mode == "train",
        )
    if args.diagram:
        draw(args.diagram, result.diagram())
    return show(args, result.sheet)


def _of_a_model(args: argparse.Namespace):
    refuse(
        args,
        ("d", "c_in", "c_out", "kernel", "pool", "body"),
        "sets the case of the schemes; a model has its own: leave it out, or leave out the model",
    )
    if args.diagram:
        raise UserError("--diagram draws the schemes; of a model take costlab diagram")
    if args.mode == "train":
        raise UserError(
            "a model's grid reductions are counted in the forward pass; leave out --mode"
        )
    show(args, costlab.reductions(get_trace(args)).sheet)

"""`costlab grid`: grid reductions compared."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, default, errors, refuse
from ._models import get_profile, get_trace
from ._options import add_diagram, add_model, add_output, add_profile
from ._output import draw, show
from ._progress import working
from ._types import Commands, Options


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "grid",
        help="compare grid reductions, or find those of a model",
        example="costlab grid",
    )
    add_model(p, optional=True)
    _add_case(p.add_argument_group("schemes (without MODEL)"))
    add_profile(p)
    add_output(p)
    p.set_defaults(run=run)


def _add_case(options: Options) -> None:
    """The reduction that the schemes are compared on."""
    options.add_argument("--d", type=int, metavar="N", help="side of the input grid (default: 35)")
    options.add_argument("--c-in", type=int, metavar="N", help="input channels (default: 320)")
    options.add_argument("--c-out", type=int, metavar="N", help="output channels (default: 640)")
    options.add_argument(
        "--kernel", type=int, metavar="N", help="kernel size of the convolution (default: 3)"
    )
    options.add_argument(
        "--pool",
        help="pooling: valid (3x3/2 without padding), padded (3x3/2) or 2x2 (default: valid)",
    )
    options.add_argument(
        "--body",
        help="what stands beside the pooling: conv or inception (default: conv)",
    )
    add_diagram(options, "draw the schemes side by side")


def run(args: argparse.Namespace) -> int | None:
    """Trace the schemes, or find a model's, render."""
    if args.model:
        return _of_a_model(args)
    refuse(args, ("input", "arg"), "applies to a model; name one, or leave it out")
    default(args, d=35, c_in=320, c_out=640, kernel=3, pool="valid", body="conv")
    with working("counting grid reductions"), errors():
        result = costlab.grid(
            d=args.d,
            c_in=args.c_in,
            c_out=args.c_out,
            kernel=args.kernel,
            pool=args.pool,
            body=args.body,
            train=args.mode == "train",
            profile=get_profile(args),
        )
    if args.diagram:
        draw(args.diagram, result.diagram())
    return show(args, result.sheet)


def _of_a_model(args: argparse.Namespace):
    refuse(
        args,
        ("d", "c_in", "c_out", "kernel", "pool", "body"),
        "applies to the schemes, not to a model; leave it out, or leave out the model",
    )
    if args.diagram:
        raise UserError("--diagram draws the schemes; for a model use costlab diagram")
    if args.mode == "train":
        raise UserError(
            "a model's grid reductions are counted in the forward pass; leave out --mode"
        )
    show(args, costlab.reductions(get_trace(args)).sheet)

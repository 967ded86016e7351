"""`costlab verify MODEL`: a second count by fvcore and by torch, each difference explained."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors
from ._extras import require
from ._models import get_model
from ._options import add_model, add_output
from ._output import show
from ._progress import working
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "verify",
        help="count again with fvcore and torch, and explain each difference",
        example="costlab verify resnet18",
    )
    add_model(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Count, compare, render; exit code 1 when a difference is not explained."""
    if args.device == "cuda":
        raise UserError("verify runs on the CPU, as the other counters do; leave out --device")
    require("verify", "verify")
    model = get_model(args)
    with working(f"counting {args.model} with fvcore and FlopCounterMode"), errors():
        result = costlab.verify(model, train=args.mode == "train")
    show(args, result.sheet)
    return 0 if result.agrees else 1

"""`costlab export MODEL -o FILE`: what a model costs, for another tool."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors
from ._models import add_model, get_trace
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser("export", help="costs for Perfetto, Model Explorer or Netron")
    add_model(p)
    p.add_argument(
        "--to",
        required=True,
        choices=("perfetto", "model-explorer", "netron"),
        help="perfetto: a measured trace for ui.perfetto.dev and chrome://tracing; "
        "model-explorer: node data of a .pt2 or .onnx file; netron: a copy of an .onnx file with "
        "the costs of each node",
    )
    p.add_argument(
        "--value",
        default="macs",
        choices=("macs", "flops", "bytes", "time"),
        help="what Model Explorer colours nodes by (default: macs)",
    )
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, count, write."""
    trace = get_trace(args)
    try:
        with errors("onnx", "an ONNX file"):
            costlab.export(trace, args.output, to=args.to, value=args.value)
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    print(f"{args.output}: {trace.provenance['model']} for {args.to}")

"""`costlab export MODEL -o FILE`: what a model costs, for another tool."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors
from ._files import JSON, ONNX, FileKind
from ._models import get_trace
from ._options import add_model
from ._progress import working, wrote
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "export",
        help="export costs to Perfetto, Model Explorer or Netron",
        example="costlab export googlenet.trace --to perfetto -o googlenet.json",
    )
    add_model(p)
    p.add_argument(
        "--to",
        required=True,
        choices=("perfetto", "model-explorer", "model-explorer-graph", "netron"),
        help="perfetto: a measured trace as a timeline, for ui.perfetto.dev and "
        "chrome://tracing; model-explorer: node data for a .pt2 or .onnx file; "
        "model-explorer-graph: the graph of any model with costs; netron: a copy of an .onnx file "
        "with the cost of each node",
    )
    p.add_argument(
        "--value",
        default="macs",
        choices=("macs", "flops", "bytes", "time"),
        help="the value by which Model Explorer colours the nodes (default: macs)",
    )
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    p.set_defaults(run=run, writes=_kind)


def _kind(args: argparse.Namespace) -> FileKind:
    return ONNX if args.to == "netron" else JSON


def run(args: argparse.Namespace) -> int | None:
    """Trace, count, write."""
    trace = get_trace(args)
    try:
        with working(f"writing {args.output}"), errors():
            costlab.export(trace, args.output, to=args.to, value=args.value)
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    wrote(f"{args.output}: {trace.provenance['model']} for {args.to}")

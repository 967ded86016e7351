"""`costlab table MODEL`: the per-layer table."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors, refuse
from ._models import add_model, arguments, get_trace, sizes, tracing
from ._output import add_output, show
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser("table", help="per-layer table in the GoogLeNet paper's format")
    add_model(p)
    p.add_argument(
        "--style",
        default="auto",
        help="auto, paper, resnet or layers (default: auto, which says what it chose)",
    )
    p.add_argument(
        "--depth",
        type=int,
        help="module depth of the layers style (default: opens what holds most of the cost, and "
        "shows alike modules once)",
    )
    p.add_argument(
        "--columns",
        default="",
        metavar="NAME,...",
        help="columns to add, such as receptive-field,activations,FLOPs",
    )
    p.add_argument(
        "--convention",
        help="paper (weights only, K = 1024) or macs (all params, 25.56M, as PyTorch and timm "
        "count); "
        "default: paper for a network whose paper prints this table, otherwise macs",
    )
    p.add_argument(
        "--by",
        choices=("operator", "module"),
        help="totals by kind of operation (convolution 3x3, linear, relu activation, ...) or by "
        "type of module (Conv2d, Bottleneck, ...), in place of layers",
    )
    p.add_argument(
        "--sort",
        choices=("macs", "params", "activations", "bytes", "peak", "time"),
        help="the rows that have most of it first, with shares (default: in order of execution; "
        "with --by or --top: macs)",
    )
    p.add_argument("--top", type=int, metavar="N", help="N rows, the others together as one")
    p.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="CHANGE",
        help="beside the model as it would be: batch=8, resolution=384, height=256, width=192, "
        "tokens=512, or kernel=5:3 (every 5x5 convolution as a 3x3 one, on the same grids); repeat "
        "for several changes at once",
    )
    p.add_argument("--strict", action="store_true", help="fail when an operation has no formula")
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace, tabulate, render."""
    if args.phase == "both" or (args.phase is None and sizes(args)):
        return show(args, _phases(args).sheet)
    if args.what_if:
        return show(args, _what_if(args).sheet)
    trace = get_trace(args)
    with errors():
        result = costlab.table(
            trace,
            style=args.style,
            convention=args.convention,
            depth=args.depth,
            strict=args.strict,
            columns=[c for c in args.columns.split(",") if c],
            by=args.by,
            sort=args.sort,
            top=args.top,
        )
    show(args, result.sheet)


def _what_if(args: argparse.Namespace):
    """The model beside what it would be."""
    refuse(
        args,
        ("phase", "convention", "by", "sort", "top"),
        "is of a table of one model; leave out --what-if",
    )
    if args.columns or args.strict:
        raise UserError("--columns and --strict are of a table of one model; leave out --what-if")
    with errors():
        return costlab.what_if(
            args.model,
            args.what_if,
            **tracing(args),
            style=args.style,
            depth=args.depth,
        )


def _phases(args: argparse.Namespace):
    """Prefill and decoding of a language model side by side."""
    rows = (args.depth, args.columns, args.convention, args.by, args.sort, args.top)
    if any(rows) or args.style != "auto":
        raise UserError(
            "--style, --depth, --columns, --convention, --by, --sort and --top are of the table of "
            "one phase; choose --phase prefill or --phase decode"
        )
    if args.input or args.mode == "train":
        raise UserError(
            "prefill and decoding are inference, on inputs made from --context and --batch: leave "
            "out --input and --mode"
        )
    with errors():
        return costlab.phases(
            args.model, arguments=arguments(args.arg), device=args.device, **sizes(args)
        )

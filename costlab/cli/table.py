"""`costlab table MODEL`: the per-layer table."""

import argparse

from ._common import UserError, add_model, add_output, get_trace, is_sized, is_trace, show


def add(sub):
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
    p.add_argument("--strict", action="store_true", help="fail when an operation has no formula")
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, tabulate, render."""
    from ..tables import table

    if args.phase == "both" or args.phase is None and is_sized(args) and not is_trace(args.model):
        return show(args, _phases(args).sheet)
    trace = get_trace(args)
    try:
        result = table(
            trace,
            args.style,
            args.convention,
            args.depth,
            args.strict,
            [c for c in args.columns.split(",") if c],
        )
    except ValueError as e:
        raise UserError(str(e)) from None
    show(args, result.sheet)


def _phases(args):
    """Prefill and decoding of a language model side by side."""
    from ..analysis.phases import phases

    if args.depth is not None or args.columns or args.convention or args.style != "auto":
        raise UserError(
            "--style, --depth, --columns and --convention are of the table of one phase; choose "
            "--phase prefill or --phase decode"
        )
    traces = (
        get_trace(argparse.Namespace(**{**vars(args), "phase": phase}))
        for phase in ("prefill", "decode")
    )
    return phases(*traces)

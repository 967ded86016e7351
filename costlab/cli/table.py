"""`costlab table MODEL`: the per-layer table."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors, refuse
from ._models import arguments, get_profile, get_rate, get_trace, sizes, tracing
from ._options import add_model, add_output, add_profile, add_rate, add_rows
from ._output import show
from ._progress import working
from ._types import Commands, Options


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "table",
        help="print a table of a model's layers and what each costs",
        example="costlab table googlenet",
    )
    add_model(p)
    rows = p.add_argument_group("rows")
    add_rows(rows)
    _add_selection(rows)
    _add_counts(p.add_argument_group("counts"))
    add_profile(p)
    add_rate(p)
    add_output(p)
    p.set_defaults(run=run)


def _add_selection(options: Options) -> None:
    """Which rows a table has beside its style, and in which order."""
    options.add_argument(
        "--by",
        choices=("operator", "module"),
        help="instead of layers, print totals by operator (3x3 convolution, linear, ReLU, ...) or "
        "by module class (Conv2d, Bottleneck, ...)",
    )
    options.add_argument(
        "--sort",
        choices=("macs", "params", "activations", "bytes", "peak", "time", "predicted"),
        help="sort the rows, largest first, and show each row's share (default: order of "
        "execution; macs with --by or --top)",
    )
    options.add_argument("--top", type=int, metavar="N", help="show N rows, and the others as one")


def _add_counts(options: Options) -> None:
    """What is counted, and how."""
    options.add_argument(
        "--convention",
        help="paper (weights only, K = 1024) or macs (all params, as PyTorch and timm count "
        "them); default: paper for networks whose paper prints this table, otherwise macs",
    )
    options.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="CHANGE",
        help="compare the model with a changed one: batch=8, resolution=384, height=256, "
        "width=192, tokens=512, or kernel=5:3 (replace every 5x5 convolution by a 3x3 one with "
        "the same output size); repeat it for several changes at once",
    )
    options.add_argument(
        "--strict", action="store_true", help="fail if an operation has no formula"
    )


def run(args: argparse.Namespace) -> int | None:
    """Trace, tabulate, render."""
    if args.phase == "both" or (args.phase is None and sizes(args)):
        return show(args, _phases(args).sheet)
    if args.what_if:
        return show(args, _what_if(args).sheet)
    trace = get_trace(args)
    with working("counting"), errors():
        result = costlab.table(
            trace,
            style=args.style,
            convention=args.convention,
            depth=args.depth,
            strict=args.strict,
            columns=args.columns or (),
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
        "applies to the table of one model; leave out --what-if",
    )
    if args.strict:
        raise UserError("--strict applies to the table of one model; leave out --what-if")
    with working(f"tracing {args.model} with the change"), errors():
        return costlab.what_if(
            args.model,
            args.what_if,
            **tracing(args),
            style=args.style,
            depth=args.depth,
            profile=get_profile(args),
            rate=get_rate(args),
        )


def _phases(args: argparse.Namespace):
    """Prefill and decoding of a language model side by side."""
    refuse(
        args,
        ("profile", "profile_dtype", "profile_layout", "rate"),
        "applies to the table of one phase; choose --phase prefill or --phase decode",
    )
    rows = (args.depth, args.convention, args.by, args.sort, args.top)
    if any(rows) or args.style != "auto":
        raise UserError(
            "--style, --depth, --convention, --by, --sort and --top apply to the table of one "
            "phase; choose --phase prefill or --phase decode"
        )
    if args.input or args.mode == "train":
        raise UserError(
            "--phase counts inference on inputs from --context and --batch; leave out --input and "
            "--mode"
        )
    with working(f"tracing {args.model}"), errors():
        return costlab.phases(
            args.model, arguments=arguments(args.arg), device=args.device, **sizes(args)
        )

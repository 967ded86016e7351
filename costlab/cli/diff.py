"""`costlab diff BASE HEAD`: what changed from one version of a model to the next."""

from __future__ import annotations

import argparse
import shlex
import sys

import costlab

from ._errors import errors
from ._models import device_words, get_profile, get_rate, tracing
from ._options import (
    add_building,
    add_chart,
    add_diagram,
    add_output,
    add_profile,
    add_rate,
    add_rows,
)
from ._output import draw, require_format, save_chart, show, write
from ._progress import working
from ._shape import refuse_shape
from ._types import Commands

_REVIEWS = ("md", "html", "pdf")  # formats of a document with several tables


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "diff",
        help="show what changed between two versions of a model, block by block",
        example="costlab diff resnet18 resnet34 --fail-on 'macs > +50%'",
    )
    p.add_argument(
        "base",
        metavar="BASE",
        help="a model or a saved trace; with --model, a git revision (branch, tag or commit)",
    )
    p.add_argument(
        "head",
        metavar="HEAD",
        help='what to compare with BASE; with --model, "." is the working tree',
    )
    p.add_argument(
        "--model",
        metavar="FACTORY",
        help="path/file.py:factory or package.module:factory, traced in two git revisions, each "
        "checked out into a temporary worktree",
    )
    p.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="LIMIT",
        help="exit with code 1 if this holds, such as 'macs > +1%%', 'peak > +10MB' or "
        "'stages.2: params > +1%%'; repeat it for several",
    )
    add_building(p)
    add_rows(p.add_argument_group("rows that are compared"))
    add_profile(p)
    add_rate(p)
    pictures = p.add_argument_group("pictures")
    add_diagram(pictures, "draw both versions on one scale, with the changes marked")
    add_chart(pictures, "draw the waterfall of MACs and of predicted time")
    add_output(p, more=("pdf",), documents=("html", "pdf"))
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Trace both, compare, render; exit code 1 where a limit is met."""
    name = require_format(args)
    if name in _REVIEWS:
        refuse_shape(args, f"a review in {name} has several")
    with working(f"comparing {args.base} and {args.head}"), errors():
        change = costlab.diff(
            args.base,
            args.head,
            model=args.model,
            **tracing(args),
            style=args.style,
            depth=args.depth,
            fail_on=args.fail_on,
            profile=get_profile(args),
            rate=get_rate(args),
        )
    if args.diagram:
        draw(args.diagram, change.diagram())
    if args.chart:
        save_chart(args, args.chart, change.chart())
    if name in _REVIEWS:
        with working(f"writing {args.output or name}"), errors():
            data = change.render(name, command=_again(args))
        write(args.output, data)
    else:
        show(args, change.whole if args.wide else change.sheet)
    for judgement in change.failed:
        print(f"costlab: {judgement}", file=sys.stderr)
    return 1 if change.failed else 0


def _again(args: argparse.Namespace) -> str:
    """The command line that makes the same review."""
    given: list[tuple[str, str | None]] = [
        ("--model", args.model),
        *(("--input", v) for v in args.input or ()),
        *(("--arg", v) for v in args.arg),
        ("--mode", args.mode if args.mode != "eval" else None),
        ("--style", args.style if args.style != "auto" else None),
        ("--depth", args.depth and str(args.depth)),
        *(("--fail-on", v) for v in args.fail_on),
        *device_words(args),
        ("-o", args.output),
    ]
    words = [word for option, value in given if value for word in (option, value)]
    return shlex.join(["costlab", "diff", args.base, args.head, *words])

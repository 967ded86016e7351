"""`costlab check`: the budgets of a repository."""

from __future__ import annotations

import argparse

import costlab

from ..api._columns import check_columns
from ._errors import UserError, errors
from ._models import get_profile, get_rate
from ._options import add_output, add_profile, add_rate
from ._output import show, write
from ._progress import progress_line
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "check",
        help="check models against the limits in pyproject.toml",
        example="costlab check",
    )
    p.add_argument(
        "file",
        nargs="?",
        default="pyproject.toml",
        metavar="FILE",
        help="a TOML file with a table [tool.costlab] (default: pyproject.toml)",
    )
    p.add_argument(
        "--update",
        action="store_true",
        help="write the current costs to costlab.lock, which relative limits refer to",
    )
    p.add_argument(
        "--measure",
        action="store_true",
        help="time the models that have a limit on time; without it, these limits are skipped",
    )
    p.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu"),
        help="the device to measure on (default: auto)",
    )
    p.add_argument(
        "--github",
        action="store_true",
        help="also print annotations for GitHub Actions (::error file=...,line=...)",
    )
    p.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    p.add_argument("--sarif", metavar="FILE", help="also write SARIF 2.1.0, for code scanning")
    add_profile(p)
    add_rate(p)
    add_output(p)
    p.set_defaults(run=run, columns_of=_columns)


def _columns(args: argparse.Namespace):
    """The columns of the verdicts."""
    return check_columns()


def run(args: argparse.Namespace) -> int | None:
    """Check, print; exit code 1 where a limit is broken or could not be judged."""
    if args.device and not args.measure:
        raise UserError("--device says where to measure; add --measure")
    files = {"junit": args.junit, "sarif": args.sarif}
    with errors():
        check = costlab.check(
            args.file,
            update=args.update,
            measure=args.measure,
            device=args.device or "auto",
            profile=get_profile(args),
            rate=get_rate(args),
            progress=lambda done, of, name: progress_line(f"{done + 1} of {of}: {name}"),
        )
    show(args, check.sheet, costly=args.measure)
    for format, path in files.items():
        if path:
            write(path, check.report(format))
    if args.github:
        write(None, check.report("github"))
    return 0 if check.passed else 1

"""`costlab report`: the document that an architecture review passes around, as PDF or HTML."""

from __future__ import annotations

import argparse

import shlex

import costlab

from ._errors import errors
from ._files import REPORT
from ._models import building, device_words, get_profile, get_rate
from ._options import add_model, add_profile, add_rate
from ._output import write
from ._progress import progress_line, working
from ._types import Commands, Options


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "report",
        help="write a PDF or HTML report with tables, charts and diagrams",
        example="costlab report googlenet --sections summary,table,conventions -o googlenet.pdf",
    )
    add_model(p, several=True, optional=True)
    _add_contents(p.add_argument_group("contents"))
    add_profile(p)
    add_rate(p)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="FILE.pdf or FILE.html")
    p.set_defaults(run=run, writes=REPORT)


def _add_contents(options: Options) -> None:
    """What a report contains."""
    options.add_argument(
        "--config",
        metavar="FILE.toml",
        help="read the title, models, sections and notes from a file",
    )
    options.add_argument(
        "--base", metavar="MODEL", help="report what changed from this model to --head"
    )
    options.add_argument(
        "--head", metavar="MODEL", help="report what changed from --base to this model"
    )
    options.add_argument(
        "--sections", metavar="NAME,...", help="include only these sections, in this order"
    )
    options.add_argument("--title", help="title of the report")
    options.add_argument(
        "--paper", choices=("a4", "us-letter"), help="paper size of the PDF (default: a4)"
    )


def _again(args: argparse.Namespace):
    """The command line that makes the same report, on any device."""
    given = [
        ("--config", args.config),
        ("--base", args.base),
        ("--head", args.head),
        ("--sections", args.sections),
        ("--title", args.title),
        ("--paper", args.paper),
        *(("--input", v) for v in args.input or ()),
        *(("--arg", v) for v in args.arg),
        ("--phase", args.phase),
        ("--context", args.context and str(args.context)),
        ("--batch", args.batch and str(args.batch)),
        ("--mode", args.mode if args.mode != "eval" else None),
        *device_words(args),
    ]
    return shlex.join(
        [
            "costlab",
            "report",
            *args.model,
            *(word for option, value in given if value for word in (option, value)),
        ]
    )


def run(args: argparse.Namespace) -> int | None:
    """Trace, build, typeset."""
    with errors():
        report = costlab.report(
            *args.model,
            base=args.base,
            head=args.head,
            config=args.config,
            title=args.title or "",
            sections=args.sections.split(",") if args.sections else (),
            paper=args.paper or "",
            command=f"{_again(args)} -o FILE.pdf (or FILE.html)",
            profile=get_profile(args),
            rate=get_rate(args),
            progress=lambda done, of, title: progress_line(f"{done + 1} of {of}: {title}"),
            **building(args),
        )
    with working(f"typesetting {args.output}"), errors():
        data = report.render(args.output.rpartition(".")[2].lower())
    write(args.output, data)

"""`costlab report`: the document that an architecture review passes around, as PDF or HTML."""

import os
import shlex

from ._common import UserError, add_model, get_trace, missing, progress_line, writable, write


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "report",
        help="a report as PDF or HTML: summary, table, charts, diagrams, opportunities, audit, "
        "provenance",
    )
    p.add_argument(
        "--config",
        metavar="FILE.toml",
        help="title, models, sections and notes of a report that a team keeps",
    )
    p.add_argument("--base", metavar="MODEL", help="a review: what changed from this model ...")
    p.add_argument("--head", metavar="MODEL", help="... to this one")
    p.add_argument("--sections", metavar="NAME,...", help="only these sections, in this order")
    p.add_argument("--title", help="title of the report")
    p.add_argument("--paper", choices=("a4", "us-letter"), help="paper of the PDF (default: a4)")
    add_model(p, several=True, optional=True)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="FILE.pdf or FILE.html")
    p.set_defaults(run=run)


def _again(args):
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
    ]
    return shlex.join(
        [
            "costlab",
            "report",
            *args.model,
            *(word for option, value in given if value for word in (option, value)),
        ]
    )


def run(args):
    """Trace, build, typeset."""
    from dataclasses import replace

    suffix, again = os.path.splitext(args.output)[1], _again(args)
    if suffix not in (".pdf", ".html"):
        raise UserError(f"cannot tell the format of {args.output!r}; name it .pdf or .html")
    writable(args.output)
    try:
        from ..report import SECTIONS, Config, build, line, measured, read

        config = read(args.config, SECTIONS) if args.config else Config()
        config = replace(
            config,
            **{
                k: v
                for k, v in (
                    ("title", args.title),
                    ("paper", args.paper),
                    ("base", args.base),
                    ("head", args.head),
                    ("models", tuple(args.model)),
                    ("sections", tuple((args.sections or "").split(",")) if args.sections else ()),
                )
                if v
            },
        )
        if bool(config.base) != bool(config.head):
            alone = "base" if config.base else "head"
            where = (
                "" if not args.config or getattr(args, alone) else f"{line(args.config, alone)}: "
            )
            raise UserError(
                f"{where}a review needs both --base and --head (base and head in a TOML file)"
            )
        if config.inputs and not args.input:
            args.input = list(config.inputs)
        elsewhere = (
            args.input or args.arg or args.phase or args.mode != "eval"
        )  # then a measured trace of that name is of something else

        def find(spec):
            try:
                return not elsewhere and measured(config, spec) or get_trace(args, spec)
            except UserError as e:
                if not args.config or spec in (*args.model, args.base, args.head):
                    raise
                raise UserError(f"{line(args.config, spec)}: {e}") from None

        review = (find(config.base), find(config.head)) if config.base else None
        models = config.models or ((config.head,) if review else ())
        if not models:
            raise UserError("name a model, for example: costlab report googlenet -o googlenet.pdf")
        traces = [review[1] if review and spec == config.head else find(spec) for spec in models]

        def progress(done, of, title):
            progress_line(f"{done + 1} of {of}: {title}")

        document = build(
            config, traces, review, f"{again} -o FILE.pdf (or FILE.html)", find, progress
        )
        if suffix == ".pdf":
            from ..render.pdf import pdf

            data = pdf(document)
        else:
            from ..render.report_html import page

            data = page(document)
    except ModuleNotFoundError as e:
        raise missing(e, f"reports need {e.name}; pip install 'costlab[report]'") from None
    except ValueError as e:
        raise UserError(
            str(e) if not args.config or str(e).startswith(args.config) else f"{args.config}: {e}"
        ) from None
    finally:
        progress_line("")
    write(args.output, data)

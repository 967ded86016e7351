"""`costlab report`: the document that an architecture review passes around, as PDF or HTML."""
import os
import shlex

from ._common import UserError, add_model, get_trace, progress_line, write


def add(sub):
    """Register the command."""
    p = sub.add_parser("report", help="a report as PDF or HTML: summary, table, charts, diagrams, opportunities, audit, provenance")
    p.add_argument("--config", metavar="FILE.toml", help="title, models, sections and notes of a report that a team keeps")
    p.add_argument("--base", metavar="MODEL", help="a review: what changed from this model ...")
    p.add_argument("--head", metavar="MODEL", help="... to this one")
    p.add_argument("--sections", metavar="NAME,...", help="only these sections, in this order")
    p.add_argument("--title", help="title of the report")
    p.add_argument("--paper", choices=("a4", "us-letter"), help="paper of the PDF (default: a4)")
    add_model(p, several=True, optional=True)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="FILE.pdf or FILE.html")
    p.set_defaults(run=run)


def run(args):
    """Trace, build, typeset."""
    from dataclasses import replace
    suffix = os.path.splitext(args.output)[1]
    if suffix not in (".pdf", ".html"):
        raise UserError(f"cannot tell the format of {args.output!r}; name it .pdf or .html")
    try:
        from .. import report
        config = report.read(args.config, report.SECTIONS) if args.config else report.Config()
        config = replace(config, **{k: v for k, v in (("title", args.title), ("paper", args.paper), ("base", args.base), ("head", args.head),
                                                      ("models", tuple(args.model)), ("sections", tuple((args.sections or "").split(",")) if args.sections else ())) if v})
        if bool(config.base) != bool(config.head):
            raise UserError("a review needs both --base and --head")
        if config.inputs and not args.input:
            args.input = list(config.inputs)
        def find(spec):
            return report.measured(config, spec) or get_trace(args, spec)
        review = tuple(find(spec) for spec in (config.base, config.head)) if config.base else None
        models = config.models or ((config.head,) if review else ())
        if not models:
            raise UserError("name a model, for example: costlab report googlenet -o googlenet.pdf")
        traces = [find(spec) for spec in models]

        def progress(done, of, title):
            progress_line(f"{done + 1} of {of}: {title}")
        command = f"costlab report --config {shlex.quote(args.config)}" if args.config else "costlab report " + " ".join(map(shlex.quote, models)) + (
            f" --base {shlex.quote(config.base)} --head {shlex.quote(config.head)}" if review else "")
        document = report.build(config, traces, review, f"{command} -o FILE.pdf (or FILE.html)", find, progress)
        if suffix == ".pdf":
            from ..render.pdf import pdf
            data = pdf(document)
        else:
            from ..render.report_html import page
            data = page(document)
    except ModuleNotFoundError as e:
        raise UserError(f"reports need {e.name}; pip install 'costlab[report]'") from None
    except ValueError as e:
        raise UserError(str(e)) from None
    finally:
        progress_line("")
    write(args.output, data)

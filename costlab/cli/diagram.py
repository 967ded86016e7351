"""`costlab diagram MODEL -o FILE`: block diagrams as SVG, PDF, PNG or DOT."""

import os

from ._common import UserError, add_model, get_trace, missing, write


def add(sub):
    """Register the command."""
    p = sub.add_parser("diagram", help="block diagrams of a network or of a module")
    add_model(p)
    p.add_argument(
        "--depth",
        type=int,
        default=0,
        help="0: blocks, alike ones as x N; 1: blocks opened to their layers (default: 0)",
    )
    p.add_argument(
        "--module", metavar="PATH", help="only this module, opened, as the papers draw it"
    )
    p.add_argument(
        "--style",
        default="auto",
        help="blocks as in costlab table: auto, paper, resnet or layers (default: auto)",
    )
    p.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="FILE.svg, .pdf, .png or .dot"
    )
    p.set_defaults(run=run)


def draw(output, text, alt):
    """Write DOT text as the suffix of `output` says."""
    suffix = os.path.splitext(output)[1]
    if suffix not in (".svg", ".pdf", ".png", ".dot"):
        raise UserError(f"cannot tell the format of {output!r}; name it .svg, .pdf, .png or .dot")
    from ..render.diagram import picture

    try:
        data = picture(text, alt, suffix[1:])
    except ModuleNotFoundError as e:
        raise missing(e, f"diagrams need {e.name}; pip install 'costlab[diagrams]'") from None
    write(output, data)


def draw_modules(output, traces, titles=None):
    """Draw whole traces side by side, each in a frame, input at the bottom."""
    from dataclasses import replace

    from ..analysis.diagram import diagram
    from ..render.diagram import side_by_side

    drawn = [
        replace(diagram(t, module=""), **({"title": name} if name else {}))
        for t, name in zip(traces, titles or [""] * len(traces), strict=False)
    ]
    draw(output, side_by_side(drawn), "; ".join(d.alt for d in drawn))


def run(args):
    """Trace, draw."""
    from ..analysis.diagram import diagram
    from ..render.diagram import dot

    try:
        d = diagram(get_trace(args), args.depth, args.module, args.style)
    except ValueError as e:
        raise UserError(str(e)) from None
    draw(args.output, dot(d), d.alt)

"""`costlab study [TOPIC]`: the study note on GoogLeNet and Inception, topic by topic."""

from __future__ import annotations

import argparse

import costlab

from ..render import terminal_page
from ._errors import UserError, errors
from ._files import TOPIC
from ._options import add_output
from ._output import on_terminal, require_format, show, write
from ._progress import working
from ._shape import refuse_shape
from ._types import Commands

PICTURES = ("svg", "png")
_WHOLE = ("text", "md", "html", *PICTURES)  # formats of a topic that are more than a table


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "study",
        help="go through the study note on GoogLeNet and Inception by topic",
        example="costlab study 3",
    )
    p.add_argument(
        "topic",
        nargs="*",
        metavar="TOPIC",
        help="a number, or a name such as grid reduction (default: list the topics)",
    )
    add_output(p, PICTURES)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """List the topics, or show one."""
    name = require_format(args)
    if not args.topic:
        if name in PICTURES:
            raise UserError(
                f"{name} is the picture of a topic: costlab study 3 -o pointwise.{name}"
            )
        return show(args, costlab.study().sheet)
    if name in _WHOLE:
        refuse_shape(args, "a topic has several")
    if name in TOPIC.formats:
        TOPIC.require(name)
    with working("computing the topic"), errors():
        lesson = costlab.study(" ".join(args.topic))
    if name not in _WHOLE:
        return show(args, lesson.sheet)
    if name == "text" and args.output is None and on_terminal():
        return terminal_page(lesson.page(), wide=args.wide)
    with working("drawing the topic"), errors():
        data = lesson.render(name)
    return write(args.output, data)

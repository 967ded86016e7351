"""`costlab list`: the zoo."""

import costlab

from ._output import add_output, show


def add(sub):
    """Register the command."""
    p = sub.add_parser("list", help="show the zoo")
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Print names, inputs and sources."""
    show(args, costlab.models().sheet)

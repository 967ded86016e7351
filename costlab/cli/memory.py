"""`costlab memory MODEL`: peak memory by liveness."""

import costlab

from ._models import add_model, get_trace
from ._output import add_output, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "memory",
        help="peak memory by liveness, in inference or of a training step, beside the measured one",
    )
    add_model(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Trace, add up, render."""
    show(args, costlab.memory(get_trace(args)).sheet)

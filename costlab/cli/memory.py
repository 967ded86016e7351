"""`costlab memory MODEL`: peak memory by liveness."""

from ._common import add_model, add_output, get_trace, show


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
    from ..analysis.memory import memory

    show(args, memory(get_trace(args)).sheet)

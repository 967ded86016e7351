"""`costlab list`: the zoo."""

from ._common import add_output, show


def add(sub):
    """Register the command."""
    p = sub.add_parser("list", help="show the zoo")
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Print names, inputs and sources."""
    from .. import zoo
    from ..tables import Column, Sheet

    rows = tuple(
        {"name": name, "input": "x".join(map(str, zoo.input_shape(name))), "source": source}
        for name, source in zoo.names().items()
    )
    show(args, Sheet("the zoo", (Column("name"), Column("input"), Column("source")), rows))

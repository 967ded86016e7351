"""`costlab list`: the zoo."""


def add(sub):
    """Register the command."""
    sub.add_parser("list", help="show the zoo").set_defaults(run=run)


def run(args):
    """Print names, inputs and sources."""
    from .. import zoo

    for name, source in zoo.names().items():
        print(f"{name:16} {'x'.join(map(str, zoo.input_shape(name))):16} {source}")

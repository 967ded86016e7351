"""`costlab claims [ID ...]`: the executable ledger of the study note, or a ledger of your own."""

import argparse

from ._common import UserError, add_output, get_trace, missing, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "claims", help="run a ledger of claims: what is said, what is computed now, the verdict"
    )
    p.add_argument(
        "id",
        nargs="*",
        metavar="ID",
        help="explain these claims with their working (default: all, as a table)",
    )
    p.add_argument(
        "--ledger",
        metavar="FILE",
        help="a TOML or YAML ledger of your own (default: the study note's 70 claims)",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="exit with code 1 when a claim is contradicted (a typo is one too)",
    )
    add_output(p)
    p.set_defaults(run=run)


def _any_model(name, size=None, **arguments):
    """A model as the command line names it, for a user's ledger."""
    from .. import zoo
    from ..analysis import claims

    if name in zoo.names():
        return claims.FUNCTIONS["model"](name, size=size, **arguments)
    args = argparse.Namespace(
        model=name,
        input=[f"1x3x{size}x{size}"] if isinstance(size, int) else [size] if size else None,
        arg=[f"{k}={v!r}" for k, v in arguments.items()],
        device="auto",
        mode="eval",
    )
    return claims.Figures(get_trace(args))


def run(args):
    """Run the ledger; explain single claims."""
    from ..analysis import claims

    try:
        if args.ledger:
            entries = claims.read(args.ledger)
            ledger = claims.run(
                entries,
                {**claims.FUNCTIONS, "model": _any_model},
                args.ledger,
                args.id,
                strict=True,
            )
        else:
            ledger = claims.run(claims.note_ledger(), None, "the study note's claims", args.id)
    except claims.LedgerError as e:
        raise UserError(str(e)) from None
    except ModuleNotFoundError as e:
        raise missing(
            e, f"a YAML ledger needs {e.name}; pip install 'costlab[yaml]', or write it as TOML"
        ) from None
    if args.id and not args.format and not args.output:
        for c in ledger.claims:
            print(claims.explained(c))
    else:
        show(args, ledger.sheet)
    return (
        1 if args.check and any(c.verdict in ("contradicted", "typo") for c in ledger.claims) else 0
    )

"""`costlab claims [ID ...]`: the executable ledger of the study note, or a ledger of your own."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._output import add_output, show
from ._types import Commands


def add(sub: Commands) -> None:
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
        help="a TOML or YAML ledger of your own (default: the study note's claims)",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="exit with code 1 when a claim is contradicted (a typo is one too)",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Run the ledger; explain single claims."""
    with errors("yaml", "a YAML ledger"):
        ledger = costlab.claims(args.id, ledger=args.ledger)
    if args.id and not args.format and not args.output:
        print("\n\n".join(claim.explanation for claim in ledger.claims))
    else:
        show(args, ledger.sheet)
    contradicted = any(c.verdict in ("contradicted", "typo") for c in ledger.claims)
    return 1 if args.check and contradicted else 0

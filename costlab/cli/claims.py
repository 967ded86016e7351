"""`costlab claims [ID ...]`: the executable ledger of the study note, or a ledger of your own."""

from __future__ import annotations

import argparse

import costlab

from ._errors import errors
from ._extras import require
from ._options import add_output
from ._output import show
from ._progress import working
from ._shape import refuse_shape
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "claims",
        help="check a ledger of claims against figures that are computed now",
        example="costlab claims C13",
    )
    p.add_argument(
        "id",
        nargs="*",
        metavar="ID",
        help="claims to explain, with their working (default: print all claims as a table)",
    )
    p.add_argument(
        "--ledger",
        metavar="FILE",
        help="a ledger of your own, as TOML or YAML (default: the claims of the study note)",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="exit with code 1 if a claim is contradicted or has a typo",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int | None:
    """Run the ledger; explain single claims."""
    if args.ledger and args.ledger.endswith((".yaml", ".yml")):
        require("yaml", "a YAML ledger")
    explained = args.id and not args.format and not args.output
    if explained:
        refuse_shape(args, "a claim is explained in words")
    with working("checking claims"), errors():
        ledger = costlab.claims(args.id, ledger=args.ledger)
    if explained:
        print("\n\n".join(claim.explanation for claim in ledger.claims))
    else:
        show(args, ledger.sheet)
    contradicted = any(c.verdict in ("contradicted", "typo") for c in ledger.claims)
    return 1 if args.check and contradicted else 0

"""What is wrong with a ledger."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LedgerError(ValueError):
    """A ledger or an expression that cannot be run; one line that quotes it."""


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """ "; did you mean X or Y?" with up to `most` known names that are like `name`, or ""."""
    near = difflib.get_close_matches(name, list(known), most)
    return f"; did you mean {' or '.join(near)}?" if near else ""

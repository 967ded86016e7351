"""What is wrong with a ledger, and how large what is in it may be."""

from __future__ import annotations

LARGEST = 1e100  # of the numbers of an expression, in amount
LONGEST = 2000  # characters of an expression
MOST_RUNS = 20  # calls of an expression that run a model, a block or a function of torch


class LedgerError(ValueError):
    """A ledger or an expression that cannot be run; one line that quotes it."""

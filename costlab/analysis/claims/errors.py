"""What is wrong with a ledger."""

from __future__ import annotations


class LedgerError(ValueError):
    """A ledger or an expression that cannot be run; one line that quotes it."""

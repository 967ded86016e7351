"""The columns of results that take long, before there are any: a name that none of them has is
refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..tables import Column


def check_columns() -> tuple[Column, ...]:
    """Those of `costlab.check`."""
    from ..check.result import COLUMNS

    return COLUMNS


def reproductions_columns() -> tuple[Column, ...]:
    """Those of `costlab.audit_all`."""
    from ..analysis.audit.every import EVERY_COLUMNS

    return EVERY_COLUMNS


def factorization_columns() -> tuple[Column, ...]:
    """Those of rewrites that were applied."""
    from ..analysis.factorize.ranking import COLUMNS

    return COLUMNS

"""Whether a limit's condition holds of a model."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from ..._spelling import suggestion
from ...trace import Trace
from . import notes
from .expression import Limit, LimitError
from .figures import Figures, figures_of
from .renames import Called

_RELATIONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Judgement:
    """A limit, evaluated.

    Attributes:
        holds: whether the condition is true.
        base, head: the quantity, in its unit; `base` is None for an absolute limit without one.
        compared: what was compared with the bound.
        called: the limit's block in base and head.
    """

    limit: Limit
    holds: bool
    base: float | None
    head: float
    compared: float
    called: Called

    def __str__(self) -> str:
        return notes.judgement(self)


def judge(
    limit: Limit,
    head: Trace | Figures,
    base: Trace | Figures | None = None,
    *,
    called: Called | None = None,
    tolerance: float = 0.0,
) -> Judgement:
    """Whether the condition of a limit holds of `head`, against `base` where it is relative.

    Args:
        head, base: traces, or figures that were recorded before.
        called: the limit's block in base and head, where it is not the same (`called_in_both`).
        tolerance: share of the bound by which the value may be beyond it, for what is measured. It
            widens `<` and `<=` upwards, and `>` and `>=` downwards.

    Raises LimitError where the model has no such block, or its figures lack the quantity."""
    names = called or Called(limit.block, limit.block)
    earlier = None if base is None else figures_of(base)
    value = _head(limit, names, figures_of(head), earlier)
    before = _base(limit, names, earlier)
    compared = _compared(limit, value, before)
    slack = tolerance * abs(limit.bound if limit.basis == "value" else before or 0.0)
    if limit.relation in (">", ">="):
        slack = -slack
    if limit.basis == "percent" and before:
        slack /= abs(before)
    holds = _RELATIONS[limit.relation](compared, limit.bound + slack)
    return Judgement(limit, bool(holds), before, value, compared, names)


def _head(limit: Limit, called: Called, head: Figures, base: Figures | None) -> float:
    """The quantity in the head."""
    if base and called.head not in ("", *head.blocks) and called.base in base.blocks:
        raise LimitError(notes.gone(limit))
    return _value(limit, called.head, head)


def _base(limit: Limit, called: Called, base: Figures | None) -> float | None:
    """The quantity in the base; None where there is no base and none is needed."""
    if base is None:
        if limit.relative:
            raise LimitError(notes.no_base(limit))
        return None
    if limit.relative:
        return _value(limit, called.base, base, of_base=True)
    return base.figure(limit.quantity, called.base)


def _compared(limit: Limit, value: float, before: float | None) -> float:
    """What a bound is compared with; a change from nothing is an infinite share of it."""
    if limit.basis == "value" or before is None:
        return value
    change = value - before
    if limit.basis == "difference":
        return change
    if before:
        return change / abs(before)
    return float("inf") if change > 0 else 0.0


def _value(limit: Limit, block: str, figures: Figures, *, of_base: bool = False) -> float:
    """The quantity of a limit's block, as it is called there."""
    known = figures.blocks
    if block and block not in known:
        raise LimitError(notes.no_block(limit, of_base, suggestion(block, known, 1)))
    value = figures.figure(limit.quantity, block)
    if value is None:
        raise LimitError(notes.no_value(limit, of_base))
    return value

"""Whether a limit's condition holds of a model."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from ...sources import suggestion
from ...trace import Trace
from . import notes
from .expression import Limit, LimitError
from .figures import Figures, figures_of

_RELATIONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Judgement:
    """A limit, evaluated.

    Attributes:
        holds: whether the condition is true.
        base, head: the quantity, in its unit; `base` is None for an absolute limit without one.
        compared: what was compared with the bound.
    """

    limit: Limit
    holds: bool
    base: float | None
    head: float
    compared: float

    def __str__(self) -> str:
        return notes.judgement(self)


def judge(
    limit: Limit,
    head: Trace | Figures,
    base: Trace | Figures | None = None,
    *,
    tolerance: float = 0.0,
) -> Judgement:
    """Whether the condition of a limit holds of `head`, against `base` where it is relative.

    Args:
        head, base: traces, or figures that were recorded before.
        tolerance: share of the bound by which the value may be beyond it, for what is measured. It
            widens `<` and `<=` upwards, and `>` and `>=` downwards.

    Raises LimitError where the model has no such block, or its figures lack the quantity."""
    value = _value(limit, figures_of(head), "")
    before = _base(limit, None if base is None else figures_of(base))
    compared = _compared(limit, value, before)
    slack = tolerance * abs(limit.bound if limit.basis == "value" else before or 0.0)
    if limit.relation in (">", ">="):
        slack = -slack
    if limit.basis == "percent" and before:
        slack /= abs(before)
    holds = _RELATIONS[limit.relation](compared, limit.bound + slack)
    return Judgement(limit, bool(holds), before, value, compared)


def _base(limit: Limit, base: Figures | None) -> float | None:
    """The quantity in the base; None where there is no base and none is needed."""
    if base is None:
        if limit.relative:
            raise LimitError(notes.no_base(limit))
        return None
    if limit.relative:
        return _value(limit, base, " of the base")
    return base.figure(limit.quantity, limit.block)


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


def _value(limit: Limit, figures: Figures, whose: str) -> float:
    """The quantity of a limit's block."""
    known = figures.blocks
    if limit.block and limit.block not in known:
        raise LimitError(notes.no_block(limit, whose, suggestion(limit.block, known, 1)))
    value = figures.figure(limit.quantity, limit.block)
    if value is None:
        raise LimitError(notes.no_value(limit, whose))
    return value

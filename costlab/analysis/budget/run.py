"""Limits that must hold of a model."""

from __future__ import annotations

from collections.abc import Sequence

from ...trace import Trace
from ..change import Sides, called_in
from ..limits import Called, Limit, judge
from . import notes
from .blocks import blocks_behind


def require(limits: Sequence[Limit], head: Trace, base: Trace | None = None) -> None:
    """Raise AssertionError where the condition of a limit does not hold: each that does not, with
    its figures and the blocks that they come from.

    Raises LimitError for a limit that the traces cannot answer."""
    __tracebackhide__ = True  # pytest shows the caller's line, and not this one
    judged = [judge(x, head, base, called=_called(x, head, base)) for x in limits]
    failed = [(j, blocks_behind(j, head, base)) for j in judged if not j.holds]
    if failed:
        raise AssertionError(notes.failure(head.provenance["model"], len(judged), failed))


def _called(limit: Limit, head: Trace, base: Trace | None) -> Called | None:
    """What the limit's block is called in base and head, where there is a base."""
    return None if base is None else called_in(Sides(base, head), limit.block)

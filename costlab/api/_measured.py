"""What measured traces say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.roofline import Roofline


def roofline(model: Model, *, style: str = "auto", depth: int | None = None) -> Roofline:
    """What a measured run reached of its device's ceilings, block by block.

    Args:
        model: a trace made with `costlab.measure`, or its file.
        style, depth: rows as in `costlab.table`.

    Raises ValueError for a trace that was not measured."""
    from ..analysis.roofline import roofline as run

    return run(as_trace(model, "roofline"), style, depth)

"""The picture of a change, block by block."""

from __future__ import annotations

from ..analysis.change import Change
from ..render import charts
from ..render.document import Picture
from .pieces import chart


def waterfall(change: Change, ident: str) -> list[Picture]:
    """The waterfall of a change, and of predicted times where there are any; none where no block
    changes either."""
    if not change.moving:
        return []
    (base, head), what = change.names, f"MACs{' and predicted time' if change.time else ''}"
    spoken = "; ".join(f"{s.name} {s.macs.head - s.macs.base:+,}" for s in change.moving)
    return [
        chart(
            charts.waterfall,
            change,
            id=ident,
            caption=f"{what} from {base} to {head}, block by block",
            alt=f"Waterfall chart of the change in {what}, with that in MACs: {spoken}"
            if change.time
            else f"Waterfall chart of the change in MACs: {spoken}",
        )
    ]

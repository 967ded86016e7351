"""Auxiliary classifiers: where they are, what they cost, and why gradients vanish."""

from __future__ import annotations

from ....analysis.aux import AuxCosts, aux_costs, read_probe
from ....analysis.diagram import diagram
from ....analysis.illustrations import saturation
from ....render import charts
from ....render.document import Grid, Picture
from ...context import Context
from ...errors import ReportError
from ...pieces import Block, chart, drawn

_CAPTIONS = {
    "googlenet": "GoogLeNet with both of its auxiliary classifiers, as it trains",
    "cnds8": "The network of Wang et al. with its auxiliary classifier after the fourth "
    "convolution (the note's X4), as it trains",
}


def supervision(c: Context) -> list[Block]:
    """The networks with their heads, what the heads cost, saturation, and the recorded probe."""
    costs, found = aux_costs(), saturation()
    return [
        *_drawings(costs),
        Grid(costs.sheet, "Auxiliary classifiers in training", "aux"),
        chart(
            charts.saturation,
            found,
            id="saturation",
            caption="Slopes of activations, what is left of an error, and the gradient by the loss",
            alt="; ".join(found.sheet.notes),
        ),
        *_probe(c.probe),
    ]


def _drawings(costs: AuxCosts) -> list[Picture]:
    return [
        drawn(
            diagram(cost.drawn, 0, style="paper"),
            id=f"aux-{cost.model}",
            caption=_CAPTIONS[cost.model],
        )
        for cost in costs.costs
        if cost.model in _CAPTIONS
    ]


def _probe(path: str) -> list[Block]:
    """A recorded probe of the gradients; nothing without one."""
    if not path:
        return []
    try:
        result = read_probe(path)
    except ValueError as e:
        raise ReportError(str(e)) from None
    return [
        chart(
            charts.gradients,
            result,
            id="gradients",
            caption="Mean gradients of the convolutions in the first iterations",
            alt="; ".join(result.sheet.notes[:2]),
        ),
        Grid(result.sheet, "Where the gradient is smallest", "gradients-table"),
    ]

"""What auxiliary classifiers cost, by tracing a network with and without them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch

from ... import zoo
from ..._pictures import Picture
from ..._pictures import diagram as diagram_picture
from ..._result import Charted
from ...cost import total, training
from ...tables import Column, Sheet
from ...trace import Trace, trace
from ...trace.build import build_on_meta, traced
from ..diagram import diagram
from . import notes

WITH_HEADS = ("googlenet", "inception_v3", "cnds8")


@dataclass(frozen=True)
class Step:
    """A training step for one image: `params` elements; `forward` and `backward` multiply-adds."""

    params: int
    forward: int
    backward: int


@dataclass(frozen=True)
class AuxCost:
    """One network without and with its heads, in training. At inference the heads do not run:
    `inference` is the forward MACs with heads present, in evaluation mode. `drawn`: the network
    with heads as it trains, for one image."""

    model: str
    without: Step
    with_heads: Step
    inference: int
    drawn: Trace

    @property
    def heads(self) -> Step:
        """What the heads add."""
        a, b = self.without, self.with_heads
        return Step(b.params - a.params, b.forward - a.forward, b.backward - a.backward)


@dataclass(frozen=True)
class AuxCosts(Charted):
    """The networks of the note that have heads."""

    costs: tuple[AuxCost, ...]

    chart_kind = "aux"

    def diagram(self) -> Picture:
        """The first network with its heads, as it trains. Needs the diagrams extra."""
        return diagram_picture(diagram(self.costs[0].drawn))

    @property
    def sheet(self) -> Sheet:
        """A row a network."""
        rows = tuple(_row(cost) for cost in self.costs)
        return Sheet("auxiliary classifiers", _COLUMNS, rows, notes.costs())


_COLUMNS = (
    Column("network"),
    Column("params", "params"),
    Column("heads' params", "params"),
    Column("share of training params", "%", format=".1%"),
    Column("forward MACs", "MACs"),
    Column("heads forward", "MACs"),
    Column("heads backward", "MACs"),
    Column("share of training MACs", "%", format=".2%"),
    Column("heads at inference", "MACs"),
)


def _row(cost: AuxCost) -> dict[str, Any]:
    heads, whole = cost.heads, cost.with_heads
    added, all_macs = heads.forward + heads.backward, whole.forward + whole.backward
    return {
        "network": cost.model,
        "params": cost.without.params,
        "heads' params": heads.params,
        "share of training params": heads.params / whole.params,
        "forward MACs": cost.without.forward,
        "heads forward": heads.forward,
        "heads backward": heads.backward,
        "share of training MACs": added / all_macs,
        "heads at inference": cost.inference - cost.without.forward,
    }


def aux_costs(names: Iterable[str] = WITH_HEADS) -> AuxCosts:
    """Trace each zoo network with and without heads. Raises ValueError for one without heads."""
    return AuxCosts(tuple(_cost(name) for name in names))


def require_heads(name: str) -> None:
    """Raise ValueError for a network that has none in the zoo."""
    if name not in WITH_HEADS:
        raise ValueError(
            f"{name} has no auxiliary classifiers in the zoo; choose {', '.join(WITH_HEADS)}"
        )


@cache  # a zoo network does not change, and tracing its backward pass takes long
def _cost(name: str) -> AuxCost:
    require_heads(name)
    one = (1, *zoo.input_shape(name)[1:])
    two = (2, *one[1:])  # batch norm in training needs two
    without, with_heads = (
        traced(partial(zoo.build, name, aux=aux), two, backward=True, spec=name)
        for aux in (False, True)
    )
    inference = total(traced(partial(zoo.build, name, aux=True), one)).macs
    return AuxCost(name, _step(without), _step(with_heads), inference, _drawn(name, one))


def _drawn(name: str, shape: tuple[int, ...]) -> Trace:
    """The network as it trains, on one image: only the network itself is in training mode, so that
    its heads run. Batch norm takes no single value a channel in training."""
    model = build_on_meta(partial(zoo.build, name, aux=True)).eval()
    model.training = True
    return trace(model, torch.empty(shape, device="meta"), device="meta", spec=name)


def _step(run: Trace) -> Step:
    """Of one image; the trace is of two."""
    cost = training(run)
    return Step(total(run).params, cost.forward_macs // 2, cost.backward_macs // 2)

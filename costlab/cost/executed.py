"""Dense work against executed work: what masks and routing leave of the products of a model.

Dense: each query meets each key, and each token goes through each expert. Executed: the scores that
a mask leaves (causal, or within a sliding window), and the experts that a token is routed to. The
MACs of a table are those of the operations that ran: they are dense in attention, where torch's
plain form computes the masked scores too, and executed in mixtures of experts.

- Scores: softmax(Q K^T + mask) V takes d + e products for each of the S N scores, and a mask that
  leaves n of them needs n (d + e). A causal mask leaves S (S + 1) / 2 of S^2.
- Experts: each of T tokens takes k of E experts, so dense is E / k times what ran.

A kernel that skips masked scores does so by blocks, so executed work is a lower bound of what it
does. Masks that depend on the input (padding) or on a buffer are not known, and count as dense."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .experts import Part, routed_experts
from .masks import Masks
from .op_cost import cost_of
from .registry import aten
from .sizes import VIEWS

if TYPE_CHECKING:
    from .masks import Mask

_SOFTMAX = frozenset(aten("_softmax _safe_softmax"))
_PRODUCTS = frozenset(aten("bmm baddbmm mm"))
_PASSED = VIEWS | frozenset(aten("mul div clone _to_copy sub contiguous")) | {"costlab.dropout"}
_FUSED = "aten._scaled_dot_product_"


@dataclass(frozen=True)
class Effort:
    """Multiply-adds of some operations: `dense`, and `executed` as the module's docstring says."""

    dense: int
    executed: int


def effort(trace: Trace, ops: Sequence[Op] | None = None) -> Effort:
    """The dense and the executed multiply-adds of operations, by default of the forward pass; where
    there is neither mask nor routing, both are what ran."""
    found = [_effort(trace, op) for op in (trace.forward if ops is None else ops)]
    return Effort(sum(e.dense for e in found), sum(e.executed for e in found))


def _effort(trace: Trace, op: Op) -> Effort:
    macs, part = cost_of(trace, op).macs, partial_work(trace).get(id(op))
    if part is None:
        return Effort(macs, macs)
    if part.routed:
        return Effort(macs * part.whole // part.some, macs)
    return Effort(macs, macs * part.some // part.whole)


@once_per_trace
def partial_work(trace: Trace) -> dict[int, Part]:
    """id of an operation -> what masks or routing leave of it, where that is less than all."""
    found = {id(op): part for op, part in (*_attention(trace), *routed_experts(trace))}
    return {key: part for key, part in found.items() if part.some < part.whole}


def _attention(trace: Trace) -> Iterator[tuple[Op, Part]]:
    """The two products of each attention, and the fused ones that are causal."""
    masks = Masks(trace)
    users: dict[int, list[Op]] = {}
    for op in trace.forward:
        for i in op.inputs:
            users.setdefault(i, []).append(op)
    for op in trace.forward:
        if op.name in _SOFTMAX:
            scores, kept = _masked(trace, masks, op.inputs[0])
            if scores is not None and kept is not None:
                whole = trace.tensors[op.inputs[0]].numel
                # the mask is repeated over the batch and the heads
                part = Part(int(kept.sum()) * (whole // kept.size), whole)
                yield scores, part
                yield from ((product, part) for product in _products(users, op.outputs[0]))
        elif op.name.startswith(_FUSED) and op.attrs.get("is_causal"):
            queries, keys = trace.shapes(op)[0][-2], trace.shapes(op)[1][-2]
            kept_scores = sum(min(i + 1, keys) for i in range(queries))
            yield op, Part(kept_scores, queries * keys)


def _masked(trace: Trace, masks: Masks, tensor: int) -> tuple[Op | None, Mask | None]:
    """The product that scores are from, and where the masks on the way leave them; None for what
    is not found or known."""
    kept: Mask | None = None
    size = trace.tensors[tensor].numel
    op = masks.maker.get(tensor)
    while op is not None and op.name not in _PRODUCTS:
        place, mask = _step(trace, masks, op, size)
        if place is None:
            return None, None
        if mask is not None:
            kept = mask if kept is None else kept & mask
        op = masks.maker.get(op.inputs[place])
    return op, kept


def _step(trace: Trace, masks: Masks, op: Op, size: int) -> tuple[int | None, Mask | None]:
    """From an operation on the scores: which of its inputs they are, and where it leaves them."""
    whole = [k for k, i in enumerate(op.inputs) if trace.tensors[i].numel == size]
    if op.name in ("aten.masked_fill", "aten.masked_fill_"):
        hidden = masks.condition(op.inputs[1])
        return 0, None if hidden is None else ~hidden
    if op.name == "aten.where":
        shown = masks.condition(op.inputs[0])
        place = next((k for k in whole if k > 0), None)
        return place, shown if shown is None or place == 1 else ~shown
    if op.name in ("aten.add", "aten.add_") and len(op.inputs) == 2:
        place = whole[0] if whole else None
        return place, None if place is None else masks.kept(op.inputs[1 - place])
    return (whole[0] if op.name in _PASSED and whole else None), None


def _products(users: dict[int, list[Op]], tensor: int) -> Iterator[Op]:
    """The products that take the weights of an attention, views and dropout apart."""
    for op in users.get(tensor, ()):
        if op.name in _PRODUCTS:
            yield op
        elif op.name in _PASSED and tensor not in op.outputs:  # dropout gives what it takes
            yield from _products(users, op.outputs[0])

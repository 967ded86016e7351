"""Mixtures of experts: which share of the experts an operation runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..trace.record import Op, Trace


@dataclass(frozen=True)
class Part:
    """What is left of the work of an operation: `some` of `whole` scores or experts.

    Attributes:
        routed: experts, of which the operation ran only some; False: scores, all of which ran.
    """

    some: int
    whole: int
    routed: bool = False


def routed_experts(trace: Trace) -> Iterator[tuple[Op, Part]]:
    """The products of (rows, .) with the (experts, ., .) that a choice of the largest routed them
    to: rows = tokens x k."""
    routed: tuple[int, int, int] | None = None  # tokens, k, experts
    for op in trace.forward:
        if op.name == "aten.topk":
            experts = trace.shapes(op)[0][-1]
            chosen = trace.tensors[op.outputs[0]].shape[-1]
            routed = (trace.tensors[op.outputs[0]].numel // max(1, chosen), chosen, experts)
        elif op.name == "aten._grouped_mm" and routed:
            rows, stack = trace.shapes(op)[:2]
            tokens, chosen, experts = routed
            if len(stack) == 3 and stack[0] == experts and rows[0] == tokens * chosen:
                yield op, Part(chosen, experts, routed=True)

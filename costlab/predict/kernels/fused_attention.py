"""Attention in its plain form, which devices run as one kernel.

A trace of `scaled_dot_product_attention` has it step by step: both sides scaled, a product, a mask
added, `_safe_softmax`, a product. No other operation of torch's uses `_safe_softmax`.
"""

from __future__ import annotations

from ...cost import VIEWS
from ...trace.record import Op, Trace
from .kernel import Kernel
from .multiplying import Attention

_SOFTMAX = "aten._safe_softmax"
_FUSED = ("aten._scaled_dot_product", "aten.scaled_dot_product_attention")


def fused_attention(trace: Trace) -> dict[int, Kernel | None]:
    """By operation: the attention kernel where one begins, None where its steps are part of it."""
    ops = trace.forward
    if not any(op.name == _SOFTMAX or op.name.startswith(_FUSED) for op in ops):
        return {}
    steps = _Steps(ops)
    found: dict[int, Kernel | None] = {}
    for index, op in enumerate(ops):
        if op.name == _SOFTMAX:
            found.update(steps.around(trace, index))
        elif op.name.startswith(_FUSED):
            found[index] = _by_operands(trace, op)
    return found


class _Steps:
    """The operations of a forward pass, by what they make and what they take."""

    def __init__(self, ops: tuple[Op, ...]):
        self._ops = ops
        self._maker: dict[int, int] = {}
        self._takers: dict[int, list[int]] = {}
        for index, op in enumerate(ops):
            for i in op.inputs:
                self._takers.setdefault(i, []).append(index)
            for i in op.outputs:
                self._maker.setdefault(i, index)

    def around(self, trace: Trace, softmax: int) -> dict[int, Kernel | None]:
        """The steps of the attention that a softmax is of; none where it is not that form."""
        before = self._before(self._ops[softmax].inputs[0], ("aten.bmm",), ("aten.add",))
        after = self._after(self._ops[softmax].outputs[0], "aten.bmm")
        if not before or after is None:
            return {}
        first, *between = before
        shape = trace.tensors[self._ops[softmax].inputs[0]].shape
        width = trace.tensors[self._ops[first].inputs[0]].shape[-1]
        if len(shape) != 4:
            return {}
        scales = [
            step
            for i in self._ops[first].inputs[:2]
            for step in self._before(i, ("aten.mul",), ())[:1]
        ]
        kernel = Attention(shape[0], shape[1], shape[2], shape[3], width, masked=bool(between))
        return {**dict.fromkeys((*scales, *between, softmax, after)), first: kernel}

    def _before(self, tensor: int, wanted: tuple[str, ...], through: tuple[str, ...]) -> list[int]:
        """The wanted operation that made a tensor, by way of views, and the operations of the names
        `through` after it; nothing where another one is met."""
        passed: list[int] = []
        while (index := self._maker.get(tensor)) is not None:
            op = self._ops[index]
            if op.name in wanted:
                return [index, *passed]
            if op.name in through:
                passed.append(index)
            elif op.name not in VIEWS:
                return []
            tensor = op.inputs[0]
        return []

    def _after(self, tensor: int, wanted: str) -> int | None:
        """The wanted operation that takes a tensor, by way of views."""
        for index in self._takers.get(tensor, ()):
            op = self._ops[index]
            if op.name == wanted:
                return index
            if op.name in VIEWS and op.outputs:
                deeper = self._after(op.outputs[0], wanted)
                if deeper is not None:
                    return deeper
        return None


def _by_operands(trace: Trace, op: Op) -> Kernel | None:
    """Attention that the trace has as one operation; its operands are batch x heads x length x
    width."""
    queries, keys = (trace.tensors[i].shape for i in op.inputs[:2])
    if len(queries) != 4 or len(keys) != 4:
        return None
    batch, heads, length, width = queries
    return Attention(batch, heads, length, keys[2], width, masked=len(op.inputs) > 3)

"""The masks of attention, worked out from the operations that made them.

A mask that a model builds of ranges, ones and comparisons has one value, whatever the input. What
depends on an input or on a buffer is not known from a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..trace.record import Op, Trace
from .mask_rules import RULES, SAME

if TYPE_CHECKING:
    from .mask_rules import Array, Mask

_LARGEST = 1 << 28  # elements of a mask that is worked out
_HIDDEN = -1e4  # what is added to a score to hide it is below this


class _UnknownError(Exception):
    """A value that the trace does not have."""


class Masks:
    """The masks of one trace; of alike expressions, one per layer, the first is worked out.

    Attributes:
        maker: tensor -> the operation that made it.
    """

    def __init__(self, trace: Trace):
        self.maker = {i: op for op in trace.forward for i in op.outputs if i not in op.inputs}
        self._trace = trace
        self._keys: dict[int, object] = {}
        self._values: dict[object, Array] = {}

    def condition(self, tensor: int) -> Mask | None:
        """A boolean tensor; None where it is not known."""
        try:
            found = self._value(tensor)
        except _UnknownError:
            return None
        return found if found.dtype == bool else None

    def kept(self, tensor: int) -> Mask | None:
        """Where a tensor that is added to scores leaves them; None where it is not known. Torch
        makes it of a boolean mask as where(mask, 0, -inf)."""
        op = self.maker.get(tensor)
        if op is None:
            return None
        if op.name == "aten.where":
            return self.condition(op.inputs[0])
        if op.name in SAME:
            return self.kept(op.inputs[0])
        try:
            found = self._value(tensor)
        except _UnknownError:
            return None
        return None if found.dtype == bool else found > _HIDDEN

    def _value(self, tensor: int) -> Array:
        key = self._key(tensor)
        if key not in self._values:
            self._values[key] = self._evaluated(self.maker[tensor], tensor)
        return self._values[key]

    def _key(self, tensor: int) -> object:
        """The expression of a tensor: alike ones have the same."""
        if tensor not in self._keys:
            op = self.maker.get(tensor)
            if op is None or op.name not in RULES:
                raise _UnknownError
            shape = self._trace.tensors[tensor].shape
            inputs = tuple(self._key(i) for i in op.inputs)
            self._keys[tensor] = (op.name, repr(op.attrs), shape, inputs)
        return self._keys[tensor]

    def _evaluated(self, op: Op, tensor: int) -> Array:
        shape = self._trace.tensors[tensor].shape
        if self._trace.tensors[tensor].numel > _LARGEST:
            raise _UnknownError
        try:
            return RULES[op.name](op.attrs, shape, *(self._value(i) for i in op.inputs))
        except (KeyError, TypeError, ValueError):  # arguments that the rule does not know
            raise _UnknownError from None

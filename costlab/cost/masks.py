"""The masks of attention, worked out from the operations that made them.

A mask that a model builds of ranges, ones and comparisons has one value, whatever the input. What
depends on an input or on a buffer is not known from a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..trace.record import Op, Trace
from .registry import aten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Mask: TypeAlias = NDArray[np.bool_]

_LARGEST = 1 << 28  # elements of a mask that is worked out
_HIDDEN = -1e4  # what is added to a score to hide it is below this
_NO_VALUE = frozenset(("dtype", "layout", "device", "pin_memory", "memory_format", "requires_grad"))


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
        if op.name in _SAME:
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
            if op is None or op.name not in _RULES:
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
            return _RULES[op.name](op.attrs, shape, *(self._value(i) for i in op.inputs))
        except (KeyError, TypeError, ValueError):  # arguments that the rule does not know
            raise _UnknownError from None


Rule = Callable[..., "Array"]
Shape = tuple[int, ...]


def _arange(attrs: Mapping[str, Any], shape: Shape) -> Array:
    import numpy as np

    start, step = attrs.get("start", 0), attrs.get("step", 1)
    return start + step * np.arange(shape[0])


def _filled(value: object) -> Rule:
    def rule(attrs: Mapping[str, Any], shape: Shape, *_: Array) -> Array:
        import numpy as np

        kind = attrs.get("dtype")
        known = attrs["fill_value"] if value is None else value
        if not isinstance(known, (int, float)):
            raise TypeError
        return np.full(shape, known, dtype=bool if kind == "bool" else None)

    return rule


def _triangle(name: str) -> Rule:
    def rule(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
        import numpy as np

        return getattr(np, name)(x, attrs.get("diagonal", 0))

    return rule


def _function(name: str) -> Rule:
    """An elementwise function of numpy's, of two tensors or of a tensor and a number."""

    def rule(attrs: Mapping[str, Any], shape: Shape, *operands: Array) -> Array:
        import numpy as np

        if attrs.keys() - _NO_VALUE - {"other"}:
            raise ValueError  # alpha and its like
        more = (attrs["other"],) if "other" in attrs else ()
        return getattr(np, name)(*operands, *more)

    return rule


def _unsqueezed(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
    return x.reshape(shape)


def _expanded(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
    import numpy as np

    return np.broadcast_to(x, shape)


_COMPARED = {"le": "less_equal", "lt": "less", "ge": "greater_equal", "gt": "greater"}
_ELEMENTWISE = {
    **_COMPARED,
    "eq": "equal",
    "ne": "not_equal",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "abs": "abs",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_not": "logical_not",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_not": "logical_not",
}
# the same elements in another shape
_SAME = frozenset(
    aten("view _unsafe_view reshape unsqueeze squeeze expand clone detach alias lift_fresh_copy")
)
_RESHAPED = _SAME - {"aten.expand"}
_RULES: dict[str, Rule] = {
    "aten.arange": _arange,
    **dict.fromkeys(aten("ones new_ones"), _filled(1)),
    **dict.fromkeys(aten("zeros new_zeros"), _filled(0)),
    **dict.fromkeys(aten("full new_full"), _filled(None)),
    "aten.tril": _triangle("tril"),
    "aten.triu": _triangle("triu"),
    **{f"aten.{name}": _function(function) for name, function in _ELEMENTWISE.items()},
    **dict.fromkeys(_RESHAPED, _unsqueezed),
    "aten.expand": _expanded,
}

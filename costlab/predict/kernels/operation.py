"""An operation of a trace, with what its kernel is read from."""

from __future__ import annotations

from dataclasses import dataclass

from ..._narrow import is_list_or_tuple
from ...cost.traffic import main_outputs
from ...trace.record import Op, Trace
from .memory_order import MemoryOrder


@dataclass(frozen=True)
class Operation:
    """An operation with what its kernel is read from."""

    trace: Trace
    op: Op
    order: MemoryOrder
    weights: frozenset[int]  # tensors that are forms of parameters

    @property
    def elements(self) -> int:
        """Of the results."""
        return sum(self.trace.tensors[i].numel for i in main_outputs(self.op))

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.trace.tensors[self.op.outputs[0]].shape

    def shape(self, k: int = 0) -> tuple[int, ...]:
        """The shape of the k-th tensor input; () where there are fewer."""
        return self.trace.tensors[self.op.inputs[k]].shape if k < len(self.op.inputs) else ()

    def pair(self, name: str, default: int = 0) -> tuple[int, int]:
        """An attribute of one number a spatial axis, as (height, width)."""
        values = whole_numbers(self.op.attrs.get(name))
        if not values:
            return default, default
        if len(values) == 1 and len(self.shape()) == 3:
            return 1 if default else 0, values[0]
        return values[0], values[-1]

    def triple(self, name: str, default: int = 0) -> tuple[int, ...]:
        """An attribute of one number an axis of a volume, as (depth, height, width)."""
        values = whole_numbers(self.op.attrs.get(name)) or (default,)
        return values if len(values) == 3 else (values[0],) * 3

    @property
    def stored(self) -> tuple[int, ...]:
        """Dimensions of the first input, as they lie in memory."""
        return self.order.of(self.op.inputs[0]) or tuple(range(len(self.shape())))


def whole_numbers(value: object) -> tuple[int, ...]:
    """An attribute of one or several numbers; none where it is not given."""
    if is_list_or_tuple(value):
        return tuple(v for v in value if isinstance(v, int))
    return (value,) if isinstance(value, int) else ()

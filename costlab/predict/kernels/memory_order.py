"""In which order the elements of each tensor of a trace lie in memory.

A trace has shapes and no strides. They follow from the layout of the inputs: convolutions, pools
and batch norms keep it, permutations change it, most other operations write in the order that they
read in.
"""

from __future__ import annotations

from ...cost import VIEWS
from ...trace.record import Op, Trace

Order = tuple[int, ...] | None  # dimensions, outermost first; None: with gaps, or not known
_CHANNELS_LAST = (0, 2, 3, 1)
_KEEPS_LAYOUT = ("convolution", "pool", "batch_norm", "upsample")


class MemoryOrder:
    """The order of each tensor, as far as operations were `follow`ed."""

    def __init__(self, trace: Trace, layout: str):
        self._trace = trace
        self._channels_last = layout == "channels-last"
        self._orders: dict[int, Order] = {}
        for i in trace.inputs:
            self._orders[i] = self._image_order(i)

    def of(self, tensor: int) -> Order:
        """The order of a tensor."""
        return self._orders.get(tensor, self._plain(tensor))

    def contiguous(self, tensor: int) -> bool:
        """Whether a tensor's last dimension is innermost, and so on; dimensions of 1 do not
        count."""
        order = self.of(tensor)
        if order is None:
            return False
        shape = self._trace.tensors[tensor].shape
        large = [d for d in order if shape[d] > 1]
        return large == sorted(large)

    def follow(self, op: Op) -> None:
        """Note the order of an operation's outputs."""
        for i in op.outputs:
            self._orders[i] = self._output(op, i)

    def _output(self, op: Op, i: int) -> Order:
        name = op.name.removeprefix("aten.")
        if any(part in name for part in _KEEPS_LAYOUT):
            return self._image_order(i)
        if name == "permute":
            return self._permuted(op, tuple(op.attrs["dims"]))
        if name in ("transpose", "transpose_", "t", "t_"):
            return self._permuted(op, self._swapped(op))
        if name == "clone" and op.attrs.get("memory_format") == "contiguous_format":
            return self._plain(i)
        if not op.inputs:
            return self._plain(i)
        if op.name in VIEWS:
            return self._viewed(op, i)
        return self._like(op, i)

    def _viewed(self, op: Op, i: int) -> Order:
        """A view of a tensor in plain order is in plain order; of another one, nothing is known
        unless it has the same shape."""
        first = op.inputs[0]
        tensors = self._trace.tensors
        if tensors[i].shape == tensors[first].shape:
            return self.of(first)
        gaps = tensors[i].numel < tensors[first].numel and not _leading(op)
        return self._plain(i) if self.contiguous(first) and not gaps else None

    def _like(self, op: Op, i: int) -> Order:
        """As the first input of the same shape."""
        tensors = self._trace.tensors
        alike = (k for k in op.inputs if tensors[k].shape == tensors[i].shape)
        order = self.of(next(alike, op.inputs[0]))
        return order if order and len(order) == len(tensors[i].shape) else self._plain(i)

    def _permuted(self, op: Op, dims: tuple[int, ...]) -> Order:
        before = self.of(op.inputs[0])
        if before is None:
            return None
        rank = len(dims)
        place = {d % rank: k for k, d in enumerate(dims)}
        return tuple(place[d] for d in before)

    def _swapped(self, op: Op) -> tuple[int, ...]:
        rank = len(self._trace.tensors[op.inputs[0]].shape)
        dims = list(range(rank))
        if rank >= 2:
            a, b = op.attrs.get("dim0", 0), op.attrs.get("dim1", 1)
            dims[a], dims[b] = dims[b], dims[a]
        return tuple(dims)

    def _plain(self, i: int) -> Order:
        return tuple(range(len(self._trace.tensors[i].shape)))

    def _image_order(self, i: int) -> Order:
        image = self._channels_last and len(self._trace.tensors[i].shape) == 4
        return _CHANNELS_LAST if image else self._plain(i)


def _leading(op: Op) -> bool:
    """Whether a view takes a part of the first dimension, which leaves no gaps."""
    return op.attrs.get("dim", 0) == 0

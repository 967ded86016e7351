"""Which kernel each operation of a trace runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from ..._narrow import is_list_or_tuple
from ...cost import VIEWS, forms_of_params
from ...cost.traffic import main_outputs
from ...trace.record import Op, Trace
from .fused_attention import fused_attention
from .images import Normalization, Pooling, Reduction
from .kernel import Kernel
from .memory_order import MemoryOrder
from .moving import Concatenation, Copy, Elementwise, Softmax
from .multiplying import Convolution, DepthwiseConvolution, Product
from .names import (
    CONCATENATIONS,
    CONVOLUTIONS,
    COPIES,
    FUNCTIONS,
    IDLE,
    NORMALIZATIONS,
    POOLS,
    PRODUCTS,
    REDUCTIONS,
    SOFTMAXES,
)


@dataclass(frozen=True)
class OpKernel:
    """What an operation runs. `kernel`: None where it runs nothing, such as a view. `known`: False
    where no family has the operation, and `kernel` is a copy of as many bytes."""

    kernel: Kernel | None
    known: bool = True


IDLE_OP = OpKernel(None)


def kernels_of(trace: Trace, layout: str = "contiguous") -> list[OpKernel]:
    """The kernel of each operation of the forward pass; `layout` of images: "contiguous" or
    "channels-last".

    Attention in its plain form is one kernel, at the place of its first product, because devices
    run it fused."""
    order = MemoryOrder(trace, layout)
    fused, weights = fused_attention(trace), forms_of_params(trace)
    found: list[OpKernel] = []
    for index, op in enumerate(trace.forward):
        if index in fused:
            found.append(OpKernel(fused[index]))
        else:
            found.append(_Operation(trace, op, order, weights).kernel())
        order.follow(op)
    return found


@dataclass(frozen=True)
class _Operation:
    """An operation with what its kernel is read from."""

    trace: Trace
    op: Op
    order: MemoryOrder
    weights: frozenset[int]  # tensors that are forms of parameters

    def kernel(self) -> OpKernel:
        """Its kernel, by name."""
        name = self.op.name
        if name in VIEWS or name in IDLE or not self.op.outputs or not self.elements:
            return IDLE_OP
        plain = name.rstrip("_") if name.startswith("aten.") else name
        for names, make in _FAMILIES:
            if plain in names:
                made = make(self)
                return OpKernel(made) if made else self.unknown()
        return self.unknown()

    def unknown(self) -> OpKernel:
        """A copy of as many elements as the larger side has."""
        read = sum(self.trace.tensors[i].numel for i in dict.fromkeys(self.op.inputs))
        return OpKernel(Copy(max(read, self.elements)), known=False)

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
        values = _whole_numbers(self.op.attrs.get(name))
        if not values:
            return default, default
        if len(values) == 1 and len(self.shape()) == 3:
            return 1 if default else 0, values[0]
        return values[0], values[-1]

    @property
    def stored(self) -> tuple[int, ...]:
        """Dimensions of the first input, as they lie in memory."""
        return self.order.of(self.op.inputs[0]) or tuple(range(len(self.shape())))


def _whole_numbers(value: object) -> tuple[int, ...]:
    """An attribute of one or several numbers; none where it is not given."""
    if is_list_or_tuple(value):
        return tuple(v for v in value if isinstance(v, int))
    return (value,) if isinstance(value, int) else ()


def _convolution(o: _Operation) -> Kernel | None:
    """1-d convolutions as those of one row; None for transposed and 3-d ones."""
    if o.op.attrs.get("transposed") or len(o.shape(1)) not in (3, 4):
        return None
    x, w = o.shape(), o.shape(1)
    x, w = (s if len(s) == 4 else (*s[:2], 1, s[2]) for s in (x, w))
    if len(x) != 4:
        return None
    groups = int(o.op.attrs.get("groups", 1))
    stride, padding = o.pair("stride", 1), o.pair("padding")
    depthwise = groups > 1 and groups == x[1]
    return (DepthwiseConvolution if depthwise else Convolution)(
        batch=x[0],
        channels_in=x[1],
        channels_out=w[0],
        height=x[2],
        width=x[3],
        kernel_height=w[2],
        kernel_width=w[3],
        stride_height=stride[0],
        stride_width=stride[1],
        padding_height=padding[0],
        padding_width=padding[1],
        dilation=max(o.pair("dilation", 1)),
        groups=groups,
        bias=len(o.op.inputs) > 2,
    )


def _product(o: _Operation) -> Kernel | None:
    bias = o.op.name in ("aten.addmm", "aten.baddbmm")
    a, b = o.shape(int(bias)), o.shape(1 + bias)
    if len(a) == 2 and len(b) == 2:
        weighted = o.op.inputs[1 + bias] in o.weights
        return Product(1, a[0], b[1], a[1], weighted, bias and weighted)
    if len(a) == 3 and len(b) == 3:
        return Product(a[0], a[1], b[2], a[2], weighted=False)
    return None


def _normalization(o: _Operation) -> Kernel | None:
    shape = o.shape()
    strided = not o.order.contiguous(o.op.inputs[0])
    kind = NORMALIZATIONS[o.op.name.rstrip("_")]
    if kind == "layer":
        size = prod(o.op.attrs.get("normalized_shape", shape[-1:]))
        return Normalization(kind, prod(shape) // max(size, 1), size, 1, strided=strided)
    if len(shape) < 2:
        return None
    inner = prod(shape[2:])
    groups = int(o.op.attrs.get("group", 1)) if kind == "group" else 1
    return Normalization(kind, shape[0], shape[1], inner, groups)


def _pooling(o: _Operation) -> Kernel | None:
    kind, shape = POOLS[o.op.name], o.shape()
    if kind == "across":
        return _across_channels(o)
    if len(shape) not in (3, 4):
        return None
    shape = shape if len(shape) == 4 else (1, *shape)
    kernel = o.pair("kernel_size")
    stride = o.pair("stride") if o.op.attrs.get("stride") else kernel
    if not all(kernel):  # adaptive: by the size of its output
        rows, columns = o.out[-2:]
        kernel = stride = (max(1, shape[2] // rows), max(1, shape[3] // columns))
    batch, channels, height, width = shape
    return Pooling(kind, batch, channels, height, width, *kernel, *stride, *o.pair("padding"))


def _across_channels(o: _Operation) -> Kernel | None:
    """The average over channels that local response normalization is made of."""
    shape, kernel = o.shape(), _whole_numbers(o.op.attrs.get("kernel_size"))
    if len(shape) != 5 or len(kernel) != 3 or kernel[1:] != (1, 1):
        return None
    batch, one, channels, height, width = shape
    return Pooling("across", batch * one, channels, height, width, kernel[0], 1, 1, 1)


def _reduction(o: _Operation) -> Kernel | None:
    shape, dims = o.shape(), _whole_numbers(o.op.attrs.get("dim"))
    if not dims or not shape:
        return Reduction(1, prod(shape))
    over = {d % len(shape) for d in dims}
    places = [d in over for d in o.stored]
    last = max(k for k, reduced in enumerate(places) if reduced)
    inner = prod(shape[d] for d in o.stored[last + 1 :])
    reduced = prod(shape[d] for d in over)
    return Reduction(max(1, prod(shape) // (reduced * inner or 1)), reduced, inner)


def _elementwise(o: _Operation) -> Kernel | None:
    name = o.op.name.rstrip("_")
    sizes = [o.trace.tensors[i].numel for i in o.op.inputs]
    full = [i for i, n in zip(o.op.inputs, sizes, strict=True) if n == o.elements]
    second = sorted(sizes, reverse=True)[1] if len(sizes) > 1 else 0
    return Elementwise(
        FUNCTIONS[name],
        o.elements,
        second,
        in_place=o.op.name.endswith("_"),
        strided=len({o.order.of(i) for i in full}) > 1,
    )


def _softmax(o: _Operation) -> Kernel | None:
    shape = o.shape()
    columns = shape[int(o.op.attrs.get("dim", -1))] if shape else 1
    return Softmax(prod(shape) // max(columns, 1), columns)


def _concatenation(o: _Operation) -> Kernel | None:
    """`outer` and `joined` as the output lies in memory: that of the first input, for as many
    dimensions."""
    shape = o.out
    if o.op.name == "aten.stack":
        dim = int(o.op.attrs.get("dim", 0)) % len(shape)
        outer = prod(shape[:dim])
        return Concatenation(len(o.op.inputs), outer, prod(shape) // outer)
    stored = o.stored if len(o.stored) == len(shape) else tuple(range(len(shape)))
    place = stored.index(int(o.op.attrs.get("dim", 0)) % len(shape))
    outer = prod(shape[d] for d in stored[:place])
    return Concatenation(len(o.op.inputs), outer, prod(shape) // outer)


def _copy(o: _Operation) -> Kernel | None:
    moves = o.op.name in ("aten.roll", "aten.flip")
    reorders = o.op.attrs.get("memory_format") == "contiguous_format" or "copy_" in o.op.name
    strided = reorders and not all(o.order.contiguous(i) for i in o.op.inputs)
    return Copy(o.elements, strided=moves or strided)


_FAMILIES: tuple[tuple[Any, Callable[[_Operation], Kernel | None]], ...] = (
    (CONVOLUTIONS, _convolution),
    (PRODUCTS, _product),
    (NORMALIZATIONS, _normalization),
    (POOLS, _pooling),
    (REDUCTIONS, _reduction),
    (FUNCTIONS, _elementwise),
    (SOFTMAXES, _softmax),
    (CONCATENATIONS, _concatenation),
    (COPIES, _copy),
)

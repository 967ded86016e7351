"""Which kernel each operation of a trace runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from ...cost import VIEWS, cost_of, forms_of_params
from ...trace.record import Trace
from .fused_attention import fused_attention
from .images import Normalization, Pooling, Reduction
from .kernel import Kernel
from .memory_order import MemoryOrder
from .moving import Concatenation, Copy, Elementwise, Softmax
from .multiplying import Product
from .names import (
    CONCATENATIONS,
    CONVOLUTIONS,
    COPIES,
    FUNCTIONS,
    IDLE,
    INTERPOLATIONS,
    LOOKUPS,
    NORMALIZATIONS,
    POOLS,
    PRODUCTS,
    REDUCTIONS,
    SOFTMAXES,
)
from .of_convolutions import convolution
from .operation import Operation, whole_numbers
from .recurrent_layers import recurrent_layers
from .sequences import Lookup
from .upsampling import Interpolation


@dataclass(frozen=True)
class OpKernel:
    """What an operation runs. `kernel`: None where it runs nothing, such as a view. `known`: False
    where no family has the operation, and `kernel` multiplies or moves as much."""

    kernel: Kernel | None
    known: bool = True


IDLE_OP = OpKernel(None)


def kernels_of(trace: Trace, layout: str = "contiguous") -> list[OpKernel]:
    """The kernel of each operation of the forward pass; `layout` of images: "contiguous" or
    "channels-last".

    Attention and recurrent layers in their plain forms are one kernel, at the place of their first
    operation, because devices run them fused."""
    order = MemoryOrder(trace, layout)
    fused = {**fused_attention(trace), **recurrent_layers(trace)}
    weights = forms_of_params(trace)
    found: list[OpKernel] = []
    for index, op in enumerate(trace.forward):
        if index in fused:
            found.append(OpKernel(fused[index]))
        else:
            found.append(_kernel(Operation(trace, op, order, weights)))
        order.follow(op)
    return found


def _kernel(o: Operation) -> OpKernel:
    """The kernel of an operation, by its name."""
    name = o.op.name
    if name in VIEWS or name in IDLE or not o.op.outputs or not o.elements:
        return IDLE_OP
    plain = name.rstrip("_") if name.startswith("aten.") else name
    for names, make in _FAMILIES:
        if plain in names:
            made = make(o)
            return OpKernel(made) if made else _unknown(o)
    return _unknown(o)


def _unknown(o: Operation) -> OpKernel:
    """A product of as many multiply-adds; without any, a copy of as many elements as the larger
    side has."""
    each = cost_of(o.trace, o.op).macs // o.elements
    if each:
        columns = (*o.out, 1)[1]  # channels, where the output is an image or a volume
        return OpKernel(Product(1, o.elements // columns, columns, each), known=False)
    read = sum(o.trace.tensors[i].numel for i in dict.fromkeys(o.op.inputs))
    return OpKernel(Copy(max(read, o.elements)), known=False)


def _product(o: Operation) -> Kernel | None:
    bias = o.op.name in ("aten.addmm", "aten.baddbmm")
    a, b = o.shape(int(bias)), o.shape(1 + bias)
    if len(a) == 2 and len(b) == 2:
        weighted = o.op.inputs[1 + bias] in o.weights
        return Product(1, a[0], b[1], a[1], weighted, bias and weighted)
    if len(a) == 3 and len(b) == 3:
        return Product(a[0], a[1], b[2], a[2], weighted=False)
    return None


def _normalization(o: Operation) -> Kernel | None:
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


def _pooling(o: Operation) -> Kernel | None:
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


def _across_channels(o: Operation) -> Kernel | None:
    """The average over channels that local response normalization is made of."""
    shape, kernel = o.shape(), whole_numbers(o.op.attrs.get("kernel_size"))
    if len(shape) != 5 or len(kernel) != 3 or kernel[1:] != (1, 1):
        return None
    batch, one, channels, height, width = shape
    return Pooling("across", batch * one, channels, height, width, kernel[0], 1, 1, 1)


def _reduction(o: Operation) -> Kernel | None:
    shape, dims = o.shape(), whole_numbers(o.op.attrs.get("dim"))
    if not dims or not shape:
        return Reduction(1, prod(shape))
    over = {d % len(shape) for d in dims}
    places = [d in over for d in o.stored]
    last = max(k for k, reduced in enumerate(places) if reduced)
    inner = prod(shape[d] for d in o.stored[last + 1 :])
    reduced = prod(shape[d] for d in over)
    return Reduction(max(1, prod(shape) // (reduced * inner or 1)), reduced, inner)


def _elementwise(o: Operation) -> Kernel | None:
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


def _softmax(o: Operation) -> Kernel | None:
    shape = o.shape()
    columns = shape[int(o.op.attrs.get("dim", -1))] if shape else 1
    return Softmax(prod(shape) // max(columns, 1), columns)


def _concatenation(o: Operation) -> Kernel | None:
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


def _copy(o: Operation) -> Kernel | None:
    moves = o.op.name in ("aten.roll", "aten.flip")
    reorders = o.op.attrs.get("memory_format") == "contiguous_format" or "copy_" in o.op.name
    strided = reorders and not all(o.order.contiguous(i) for i in o.op.inputs)
    return Copy(o.elements, strided=moves or strided)


def _interpolation(o: Operation) -> Kernel | None:
    """One of lines as that of one row; None for one of volumes but to the nearest."""
    shape, out = o.shape(), o.out
    kind = INTERPOLATIONS[o.op.name]
    if len(shape) not in (3, 4, 5) or (len(shape) == 5 and kind != "nearest"):
        return None
    rows, out_rows = prod(shape[2:-1]), prod(out[2:-1])
    return Interpolation(kind, shape[0], shape[1], rows, shape[-1], out_rows, out[-1])


def _lookup(o: Operation) -> Kernel | None:
    table = o.shape()
    if len(table) != 2 or not all(table):
        return None
    return Lookup(o.elements // table[1], table[1], table[0])


_FAMILIES: tuple[tuple[Any, Callable[[Operation], Kernel | None]], ...] = (
    (CONVOLUTIONS, convolution),
    (PRODUCTS, _product),
    (NORMALIZATIONS, _normalization),
    (POOLS, _pooling),
    (REDUCTIONS, _reduction),
    (FUNCTIONS, _elementwise),
    (SOFTMAXES, _softmax),
    (CONCATENATIONS, _concatenation),
    (INTERPOLATIONS, _interpolation),
    (LOOKUPS, _lookup),
    (COPIES, _copy),
)

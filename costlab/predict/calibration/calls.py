"""Kernels made callable: with tensors of their sizes on a device, warm, and with weights that are
not in its cache."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by

from ..kernels import (
    Attention,
    Concatenation,
    Convolution,
    Copy,
    Elementwise,
    Interpolation,
    Kernel,
    Lookup,
    Normalization,
    Pooling,
    Product,
    Recurrent,
    Reduction,
    Softmax,
    TransposedConvolution,
    VolumeConvolution,
)

Run = Callable[[], Any]
_DRAWN = 2**22  # values, repeated until a store is full: drawing takes long
_ALIGNED = 256  # elements; what a slice of the store begins at
_ATEN: Any = torch.ops.aten


class Store:
    """Random values on a device, from which operands are cut without being made.

    `weights` lie where a given turn says; turns apart, they share no memory until `size` elements
    were handed out."""

    def __init__(self, device: str, dtype: torch.dtype, size: int):
        drawn = torch.randn(min(size, _DRAWN), device=device).mul_(0.1).to(dtype)
        self._values = drawn.repeat(-(-size // len(drawn)))[:size]
        self.size, self.device, self.dtype = size, device, dtype

    def values(self, *shape: int, at: int = 0) -> Tensor:
        """A contiguous tensor that begins at the given element. Raises ValueError for one that is
        larger than the store."""
        wanted = math.prod(shape)
        if wanted > self.size:
            raise ValueError(f"{wanted:,} elements are more than the store of {self.size:,}")
        begin = at % (self.size - wanted + 1) // _ALIGNED * _ALIGNED  # round the end
        return self._values[begin : begin + wanted].view(shape)

    def image(self, *shape: int, channels_last: bool, at: int = 0) -> Tensor:
        """A 4-d tensor of batch x channels x height x width, or of a filter's sizes."""
        if not channels_last:
            return self.values(*shape, at=at)
        n, c, h, w = shape
        return self.values(n, h, w, c, at=at).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Operands:
    """Where a call takes its tensors from: `store`, and in which layout. Activations begin at its
    start, weights in its middle or, in another `turn`, so many elements after that."""

    store: Store
    channels_last: bool = False
    turn: int = 0

    def values(self, *shape: int, after: int = 0) -> Tensor:
        """An activation; `after` so many elements of others."""
        return self.store.values(*shape, at=after)

    def image(self, *shape: int) -> Tensor:
        """A 4-d activation."""
        return self.store.image(*shape, channels_last=self.channels_last)

    def weight(self, *shape: int) -> Tensor:
        """A weight."""
        return self.store.values(*shape, at=self._at)

    def filter(self, *shape: int) -> Tensor:
        """A 4-d weight."""
        return self.store.image(*shape, channels_last=self.channels_last, at=self._at)

    @property
    def _at(self) -> int:
        return self.store.size // 2 + self.turn


def call_of(kernel: Kernel, given: Operands) -> Run:
    """A call of the kernel. Raises what torch raises for operands that it refuses."""
    return _CALLS[kernel.family](kernel, given)


def _convolution(k: Any, given: Operands) -> Run:
    k = cast("Convolution", k)
    x = given.image(k.batch, k.channels_in, k.height, k.width)
    inner = k.channels_in // k.groups
    w = given.filter(k.channels_out, inner, k.kernel_height, k.kernel_width)
    b = given.weight(k.channels_out) if k.bias else None
    stride, padding = (k.stride_height, k.stride_width), (k.padding_height, k.padding_width)
    return lambda: F.conv2d(x, w, b, stride, padding, k.dilation, k.groups)


def _product(k: Any, given: Operands) -> Run:
    k = cast("Product", k)
    if k.weighted:
        x, w = given.values(k.rows, k.inner), given.weight(k.columns, k.inner)
        b = given.weight(k.columns) if k.bias else None
        return lambda: F.linear(x, w, b)
    if k.batch == 1:
        a, c = given.values(k.rows, k.inner), given.weight(k.inner, k.columns)
        return lambda: torch.mm(a, c)
    a, c = given.values(k.batch, k.rows, k.inner), given.weight(k.batch, k.inner, k.columns)
    return lambda: torch.bmm(a, c)


def _normalization(k: Any, given: Operands) -> Run:
    k = cast("Normalization", k)
    scale, shift = given.values(k.channels), given.values(k.channels)
    if k.kind == "layer":
        x = given.values(k.outer, k.channels)
        if k.strided:
            x = given.values(k.channels, k.outer).t()
        return lambda: F.layer_norm(x, (k.channels,), scale, shift)
    x = given.image(k.outer, k.channels, k.inner, 1)
    if k.kind == "group":
        return lambda: F.group_norm(x, k.groups, scale, shift)
    variance = scale.abs()
    return lambda: F.batch_norm(x, shift, variance, scale, shift, training=False)


def _pooling(k: Any, given: Operands) -> Run:
    k = cast("Pooling", k)
    if k.kind == "across":
        x = given.values(k.batch, 1, k.channels, k.height, k.width)
        return lambda: F.avg_pool3d(x, (k.kernel_height, 1, 1), 1)
    x = given.image(k.batch, k.channels, k.height, k.width)
    kernel, stride = (k.kernel_height, k.kernel_width), (k.stride_height, k.stride_width)
    padding = (k.padding_height, k.padding_width)
    if k.kind == "max":
        return lambda: F.max_pool2d(x, kernel, stride, padding)
    return lambda: F.avg_pool2d(x, kernel, stride, padding)


def _reduction(k: Any, given: Operands) -> Run:
    k = cast("Reduction", k)
    x = given.values(k.outer, k.reduced, k.inner)
    return lambda: x.mean(1)


def _elementwise(k: Any, given: Operands) -> Run:
    """In-place kernels write to another tensor: repeated on their result, values would vanish."""
    k = cast("Elementwise", k)
    function, other = _function(k.function, in_place=k.in_place), None
    x = given.values(k.elements)
    if 0 < k.second < k.elements and k.elements % k.second == 0:
        x, other = x.view(-1, k.second), given.weight(k.second)
    elif k.second >= k.elements:
        other = given.weight(k.elements)
    elif k.function in _BINARY:
        other = 0.75
    if k.strided and isinstance(other, Tensor) and k.elements % 64 == 0:
        x, other = x.view(64, -1), other.view(-1, 64).t()
    arguments = (x,) if other is None else (x, other)
    if not k.in_place:
        return lambda: function(*arguments)
    out = torch.empty_like(x)
    return lambda: function(*arguments, out=out)


# of the functions with a second operand. Not by `torch.ops.aten`: that finds the overload by trying
# the operand as a number, which waits for the device and cannot be captured
_BINARY: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
}


def _function(name: str, *, in_place: bool) -> Callable[..., Tensor]:
    """torch's function of that name; `in_place`, one that writes into a given `out`."""
    if name in _BINARY:
        return _BINARY[name]
    packet = getattr(_ATEN, name)
    return packet.out if in_place else packet.default


def _softmax(k: Any, given: Operands) -> Run:
    k = cast("Softmax", k)
    x = given.values(k.rows, k.columns)
    return lambda: F.softmax(x, -1)


def _concatenation(k: Any, given: Operands) -> Run:
    k = cast("Concatenation", k)
    each, more = divmod(k.joined, k.inputs)
    parts = [
        given.values(k.outer, each + (i < more), after=i * k.outer * each) for i in range(k.inputs)
    ]
    return lambda: torch.cat(parts, 1)


def _copy(k: Any, given: Operands) -> Run:
    k = cast("Copy", k)
    if k.strided and k.elements >= 64:
        x = given.values(64, k.elements // 64).t()
        return lambda: x.clone(memory_format=torch.contiguous_format)
    x = given.values(k.elements)
    return lambda: x.clone()


def _attention(k: Any, given: Operands) -> Run:
    k = cast("Attention", k)
    q = given.values(k.batch, k.heads, k.queries, k.width)
    key, value = (
        given.values(k.batch, k.heads, k.keys, k.width, after=i * q.numel()) for i in (1, 2)
    )
    mask = given.values(k.queries, k.keys) if k.masked else None
    return lambda: F.scaled_dot_product_attention(q, key, value, mask)


def _transposed(k: Any, given: Operands) -> Run:
    k = cast("TransposedConvolution", k)
    x = given.image(k.batch, k.channels_in, k.height, k.width)
    w = given.filter(k.channels_in, k.channels_out // k.groups, k.kernel_height, k.kernel_width)
    b = given.weight(k.channels_out) if k.bias else None
    stride, padding = (k.stride_height, k.stride_width), (k.padding_height, k.padding_width)
    more = k.output_padding_height, k.output_padding_width
    return lambda: F.conv_transpose2d(x, w, b, stride, padding, more, k.groups, k.dilation)


def _volume(k: Any, given: Operands) -> Run:
    k = cast("VolumeConvolution", k)
    x = given.values(k.batch, k.channels_in, k.depth, k.height, k.width)
    sides = k.kernel_depth, k.kernel_height, k.kernel_width
    w = given.weight(k.channels_out, k.channels_in // k.groups, *sides)
    b = given.weight(k.channels_out) if k.bias else None
    stride = k.stride_depth, k.stride_height, k.stride_width
    padding = k.padding_depth, k.padding_height, k.padding_width
    return lambda: F.conv3d(x, w, b, stride, padding, k.dilation, k.groups)


def _interpolation(k: Any, given: Operands) -> Run:
    k = cast("Interpolation", k)
    x = given.image(k.batch, k.channels, k.height, k.width)
    mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}[k.kind]
    return lambda: F.interpolate(x, (k.out_height, k.out_width), mode=mode)


def _recurrent(k: Any, given: Operands) -> Run:
    """As its module, which puts all weights next to one another as cuDNN wants them."""
    k = cast("Recurrent", k)
    x = given.values(k.steps, k.batch, k.inputs)
    kind = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}[k.kind]
    layers = kind(
        *(k.inputs, k.hidden, k.layers),
        bias=k.bias,
        bidirectional=k.bidirectional,
        device=given.store.device,
        dtype=given.store.dtype,
    )
    return lambda: layers(x)[0]


def _lookup(k: Any, given: Operands) -> Run:
    """Of rows all over the table."""
    k = cast("Lookup", k)
    table = given.weight(k.table, k.width)
    rows = torch.randint(k.table, (k.rows,), device=given.store.device)
    return lambda: F.embedding(rows, table)


_CALLS: dict[str, Callable[[Any, Operands], Run]] = {
    "convolution": _convolution,
    "depthwise convolution": _convolution,
    "product": _product,
    "normalization": _normalization,
    "pooling": _pooling,
    "reduction": _reduction,
    "elementwise": _elementwise,
    "softmax": _softmax,
    "concatenation": _concatenation,
    "copy": _copy,
    "attention": _attention,
    "transposed convolution": _transposed,
    "3-d convolution": _volume,
    "interpolation": _interpolation,
    "recurrent": _recurrent,
    "lookup": _lookup,
}

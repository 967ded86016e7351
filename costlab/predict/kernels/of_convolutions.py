"""Which kernel a convolution of a trace runs."""

from __future__ import annotations

from math import prod

from .kernel import Kernel
from .multiplying import Convolution, DepthwiseConvolution
from .operation import Operation
from .upsampling import TransposedConvolution
from .volumes import VolumeConvolution


def convolution(o: Operation) -> Kernel | None:
    """1-d convolutions as those of one row; None for transposed 3-d ones."""
    sides = len(o.shape(1)) - 2
    if len(o.shape()) != sides + 2:
        return None
    if sides == 3:
        return None if o.op.attrs.get("transposed") else _volume(o)
    if sides not in (1, 2):
        return None
    return _transposed(o) if o.op.attrs.get("transposed") else _plain(o)


def _plain(o: Operation) -> Kernel:
    x, w = _image(o.shape()), _image(o.shape(1))
    stride, padding, groups = o.pair("stride", 1), o.pair("padding"), _groups(o)
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


def _transposed(o: Operation) -> Kernel | None:
    """None for one with two dilations, whose output has not the size that one of them gives."""
    x, w, groups = _image(o.shape()), _image(o.shape(1)), _groups(o)
    stride, padding, more = o.pair("stride", 1), o.pair("padding"), o.pair("output_padding")
    kernel = TransposedConvolution(
        *(x[0], x[1], w[1] * groups, x[2], x[3], w[2], w[3], *stride, *padding, *more),
        dilation=max(o.pair("dilation", 1)),
        groups=groups,
        bias=len(o.op.inputs) > 2,
    )
    return kernel if kernel.written == prod(o.out) else None


def _volume(o: Operation) -> Kernel | None:
    x, w = o.shape(), o.shape(1)
    kernel = VolumeConvolution(
        *(x[0], x[1], w[0], *x[2:], *w[2:], *o.triple("stride", 1), *o.triple("padding")),
        dilation=max(o.triple("dilation", 1)),
        groups=_groups(o),
        bias=len(o.op.inputs) > 2,
    )
    return kernel if kernel.written == prod(o.out) else None


def _groups(o: Operation) -> int:
    return int(o.op.attrs.get("groups", 1))


def _image(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with one row where it has no rows."""
    return shape if len(shape) == 4 else (*shape[:2], 1, shape[2])

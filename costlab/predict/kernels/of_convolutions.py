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
    batch, channels_in, height, width = _image(o.shape())
    _, channels_out, kernel_height, kernel_width = _image(o.shape(1))
    stride, padding, more = o.pair("stride", 1), o.pair("padding"), o.pair("output_padding")
    groups = _groups(o)
    kernel = TransposedConvolution(
        batch=batch,
        channels_in=channels_in,
        channels_out=channels_out * groups,
        height=height,
        width=width,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        stride_height=stride[0],
        stride_width=stride[1],
        padding_height=padding[0],
        padding_width=padding[1],
        output_padding_height=more[0],
        output_padding_width=more[1],
        dilation=max(o.pair("dilation", 1)),
        groups=groups,
        bias=len(o.op.inputs) > 2,
    )
    return kernel if kernel.written == prod(o.out) else None


def _volume(o: Operation) -> Kernel | None:
    batch, channels_in, depth, height, width = o.shape()
    channels_out, _, kernel_depth, kernel_height, kernel_width = o.shape(1)
    stride, padding = o.triple("stride", 1), o.triple("padding")
    kernel = VolumeConvolution(
        batch=batch,
        channels_in=channels_in,
        channels_out=channels_out,
        depth=depth,
        height=height,
        width=width,
        kernel_depth=kernel_depth,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        stride_depth=stride[0],
        stride_height=stride[1],
        stride_width=stride[2],
        padding_depth=padding[0],
        padding_height=padding[1],
        padding_width=padding[2],
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

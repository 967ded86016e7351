"""Spaces of kernels whose time is mostly for moving values."""

from __future__ import annotations

from ...kernels import Concatenation, Copy, Elementwise, Kernel, Softmax
from .draw import Draw

_OF_TWO = ("add", "mul", "div")  # functions that may take a second tensor
# about as often as networks have them
_FUNCTIONS = (
    *("relu", "add", "mul", "gelu", "relu", "add", "silu", "mul", "sigmoid", "add"),
    *("hardswish", "tanh", "relu", "mul", "div", "pow"),
)


def elementwise(index: int) -> Kernel:
    """Functions of two with a number, with as many elements, or with some that are broadcast."""
    draw = Draw(index)
    function = _FUNCTIONS[index % len(_FUNCTIONS)]
    elements = draw.size(256, 2**26, 64)
    in_place = draw.unit() < 0.4
    if function not in _OF_TWO:
        return Elementwise(function, elements=elements, in_place=in_place)
    second = draw.of("a number", "as many", "as many", "broadcast")
    channels = draw.size(16, 2048, 8)
    if second == "broadcast":
        elements = max(elements // channels, 1) * channels
    return Elementwise(
        function,
        elements=elements,
        second={"a number": 0, "as many": elements, "broadcast": channels}[second],
        in_place=in_place,
    )


def softmax(index: int) -> Kernel:
    """From few long rows to many short ones."""
    draw = Draw(index)
    return Softmax(rows=draw.size(1, 65536), columns=draw.size(16, 4096))


def concatenation(index: int) -> Kernel:
    """Of 2 to 8 tensors, up to 2**24 elements in all."""
    draw = Draw(index)
    inputs, outer = draw.of(2, 2, 3, 4, 4, 8), draw.size(1, 4096)
    joined = max(inputs, draw.size(2**10, 2**24) // outer)
    return Concatenation(inputs=inputs, outer=outer, joined=joined)


def copy(index: int) -> Kernel:
    """Every other one into another order."""
    return Copy(elements=Draw(index).size(256, 2**26, 64), strided=bool(index % 2))

"""Operators that work element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._attributes import FLOAT, INT, TEXT
from ._operators import Data, Node, dtype, number, operator

_ANY = 99  # dimensions
_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "Abs": torch.abs,
    "Acos": torch.acos,
    "Acosh": torch.acosh,
    "Asin": torch.asin,
    "Asinh": torch.asinh,
    "Atan": torch.atan,
    "Atanh": torch.atanh,
    "BitwiseNot": torch.bitwise_not,
    "Ceil": torch.ceil,
    "Cos": torch.cos,
    "Cosh": torch.cosh,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Floor": torch.floor,
    "IsInf": torch.isinf,
    "IsNaN": torch.isnan,
    "Log": torch.log,
    "Mish": F.mish,
    "Neg": torch.neg,
    "Not": torch.logical_not,
    "Reciprocal": torch.reciprocal,
    "Relu": torch.relu,
    "Round": torch.round,
    "Sigmoid": torch.sigmoid,
    "Sign": torch.sign,
    "Sin": torch.sin,
    "Sinh": torch.sinh,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Sqrt": torch.sqrt,
    "Tan": torch.tan,
    "Tanh": torch.tanh,
    "HardSwish": F.hardswish,
}


def _unary(fn: Callable[[Tensor], Tensor]) -> Callable[[Node, Tensor], Tensor]:
    def compute(node: Node, x: Tensor) -> Tensor:
        return fn(x)

    return compute


for _name, _fn in _UNARY.items():
    operator(_name)(_unary(_fn))

# one operand is a tensor; the other may be a constant, which is then a Python number
_BINARY: dict[str, Callable[[Any, Any], Tensor]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Pow": lambda a, b: a**b,
    "Equal": lambda a, b: a == b,
    "Greater": lambda a, b: a > b,
    "GreaterOrEqual": lambda a, b: a >= b,
    "Less": lambda a, b: a < b,
    "LessOrEqual": lambda a, b: a <= b,
    "And": lambda a, b: a & b,
    "Or": lambda a, b: a | b,
    "Xor": lambda a, b: a ^ b,
    "BitwiseAnd": lambda a, b: a & b,
    "BitwiseOr": lambda a, b: a | b,
    "BitwiseXor": lambda a, b: a ^ b,
}


def _binary(
    fn: Callable[[Any, Any], Tensor],
) -> Callable[[Node, Any, Any], Tensor]:
    def compute(node: Node, a: Any, b: Any) -> Tensor:
        return fn(a, b)

    return compute


for _name, _fn in _BINARY.items():
    operator(_name, scalars=_ANY)(_binary(_fn))


def _integer(x: object) -> bool:
    if isinstance(x, Tensor):
        return not x.dtype.is_floating_point and not x.dtype.is_complex
    return isinstance(x, int)


@operator("Div", scalars=_ANY)
def div(node: Node, a: Any, b: Any) -> Tensor:
    """Integers are divided toward zero."""
    if _integer(a) and _integer(b):
        return torch.div(a, b, rounding_mode="trunc")
    return a / b


@operator("Mod", scalars=_ANY)
def mod(node: Node, a: Any, b: Any) -> Tensor:
    return torch.fmod(a, b) if node.get("fmod", INT, 0) else torch.remainder(a, b)


def _chain(fn: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def compute(node: Node, first: Tensor, *rest: Tensor) -> Tensor:
        for x in rest:
            first = fn(first, x)
        return first

    return compute


operator("Max")(_chain(torch.maximum))
operator("Min")(_chain(torch.minimum))
operator("Sum")(_chain(torch.add))


@operator("Mean")
def mean_of(node: Node, *inputs: Tensor) -> Tensor:
    return _chain(torch.add)(node, *inputs) / len(inputs)


@operator("Where")
def where(node: Node, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(condition, a, b)


@operator("Clip")
def clip(node: Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    least = node.get("min", FLOAT, None) if low is None else number(low)
    most = node.get("max", FLOAT, None) if high is None else number(high)
    if least is None and most is None:
        return x
    if least == 0 and most == 6:
        return F.relu6(x)
    return torch.clamp(x, least, most)


@operator("Gelu", "com.microsoft.Gelu")
def gelu(node: Node, x: Tensor) -> Tensor:
    return F.gelu(x, approximate=node.get("approximate", TEXT, "none"))


@operator("com.microsoft.FastGelu", weights=(1,))
def fast_gelu(node: Node, x: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.gelu(x if bias is None else x + bias, approximate="tanh")


@operator("com.microsoft.QuickGelu")
def quick_gelu(node: Node, x: Tensor) -> Tensor:
    return x * torch.sigmoid(x * node.get("alpha", FLOAT, 1.702))


@operator("com.microsoft.BiasGelu", weights=(1,))
def bias_gelu(node: Node, x: Tensor, bias: Tensor) -> Tensor:
    return F.gelu(x + bias)


@operator("Swish")
def swish(node: Node, x: Tensor) -> Tensor:
    alpha = node.get("alpha", FLOAT, 1.0)
    return F.silu(x) if alpha == 1 else x * torch.sigmoid(x * alpha)


@operator("LeakyRelu")
def leaky_relu(node: Node, x: Tensor) -> Tensor:
    return F.leaky_relu(x, node.get("alpha", FLOAT, 0.01))


@operator("Elu")
def elu(node: Node, x: Tensor) -> Tensor:
    return F.elu(x, node.get("alpha", FLOAT, 1.0))


@operator("Celu")
def celu(node: Node, x: Tensor) -> Tensor:
    return F.celu(x, node.get("alpha", FLOAT, 1.0))


@operator("Selu")
def selu(node: Node, x: Tensor) -> Tensor:
    return F.selu(x)


@operator("ThresholdedRelu")
def thresholded_relu(node: Node, x: Tensor) -> Tensor:
    return F.threshold(x, node.get("alpha", FLOAT, 1.0), 0.0)


@operator("HardSigmoid")
def hard_sigmoid(node: Node, x: Tensor) -> Tensor:
    alpha, beta = node.get("alpha", FLOAT, 0.2), node.get("beta", FLOAT, 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return F.hardsigmoid(x)
    return torch.clamp(x * alpha + beta, 0, 1)


@operator("PRelu", weights=(1,))
def prelu(node: Node, x: Tensor, slope: Tensor) -> Tensor:
    """The slope broadcasts to the input from the right; torch takes one a channel."""
    if slope.numel() == 1 or x.dim() > 1 and slope.numel() == x.shape[1]:
        return F.prelu(x, slope.reshape(-1))
    return torch.where(x > 0, x, x * slope)


@operator("Shrink")
def shrink(node: Node, x: Tensor) -> Tensor:
    return F.hardshrink(x, node.get("lambd", FLOAT, 0.5))


@operator("Dropout", "Identity")
def identity(node: Node, x: Data, *rest: Data) -> Data:
    """At inference dropout passes its input on."""
    return x


@operator("Cast")
def cast(node: Node, x: Tensor) -> Tensor:
    return x.to(dtype(node.get("to", INT)))


@operator("CastLike")
def cast_like(node: Node, x: Tensor, like: Tensor) -> Tensor:
    return x.to(like.dtype)


@operator("BitShift")
def bit_shift(node: Node, a: Tensor, b: Tensor) -> Tensor:
    left = node.get("direction", TEXT) == "LEFT"
    return torch.bitwise_left_shift(a, b) if left else torch.bitwise_right_shift(a, b)


@operator("CumSum")
def cumulative_sum(node: Node, x: Tensor, axis: Tensor) -> Tensor:
    dim = int(number(axis))
    out = torch.cumsum(x.flip(dim) if node.get("reverse", INT, 0) else x, dim)
    return out.flip(dim) if node.get("reverse", INT, 0) else out


@operator("Trilu")
def triangle(node: Node, x: Tensor, k: Tensor | None = None) -> Tensor:
    diagonal = 0 if k is None else int(number(k))
    return (torch.triu if node.get("upper", INT, 1) else torch.tril)(x, diagonal)

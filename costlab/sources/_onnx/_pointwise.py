"""Operators that work element by element."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from ._operators import dtype, number, operator

_ANY = 99  # dimensions
_UNARY = {
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
for _name, _fn in _UNARY.items():
    operator(_name)(lambda node, x, fn=_fn: fn(x))

_BINARY = {
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
for _name, _fn in _BINARY.items():
    operator(_name, scalars=_ANY)(lambda node, a, b, fn=_fn: fn(a, b))


def _integer(x) -> bool:
    if isinstance(x, torch.Tensor):
        return not x.dtype.is_floating_point and not x.dtype.is_complex
    return isinstance(x, int)


@operator("Div", scalars=_ANY)
def div(node, a, b):
    """Integers are divided toward zero."""
    if _integer(a) and _integer(b):
        return torch.div(a, b, rounding_mode="trunc")
    return a / b


@operator("Mod", scalars=_ANY)
def mod(node, a, b):
    return torch.fmod(a, b) if node.get("fmod", 0) else torch.remainder(a, b)


def _chain(fn):
    def compute(node, first, *rest):
        for x in rest:
            first = fn(first, x)
        return first

    return compute


operator("Max")(_chain(torch.maximum))
operator("Min")(_chain(torch.minimum))
operator("Sum")(_chain(torch.add))


@operator("Mean")
def mean_of(node, *inputs):
    return _chain(torch.add)(node, *inputs) / len(inputs)


@operator("Where")
def where(node, condition, a, b):
    return torch.where(condition, a, b)


@operator("Clip")
def clip(node, x, low=None, high=None):
    low = node.get("min") if low is None else number(low)
    high = node.get("max") if high is None else number(high)
    if low is None and high is None:
        return x
    if low == 0 and high == 6:
        return F.relu6(x)
    return torch.clamp(x, low, high)


@operator("Gelu", "com.microsoft.Gelu")
def gelu(node, x):
    return F.gelu(x, approximate=node.get("approximate", "none"))


@operator("com.microsoft.FastGelu", weights=(1,))
def fast_gelu(node, x, bias=None):
    return F.gelu(x if bias is None else x + bias, approximate="tanh")


@operator("com.microsoft.QuickGelu")
def quick_gelu(node, x):
    return x * torch.sigmoid(x * node.get("alpha", 1.702))


@operator("com.microsoft.BiasGelu", weights=(1,))
def bias_gelu(node, x, bias):
    return F.gelu(x + bias)


@operator("Swish")
def swish(node, x):
    alpha = node.get("alpha", 1.0)
    return F.silu(x) if alpha == 1 else x * torch.sigmoid(x * alpha)


@operator("LeakyRelu")
def leaky_relu(node, x):
    return F.leaky_relu(x, node.get("alpha", 0.01))


@operator("Elu")
def elu(node, x):
    return F.elu(x, node.get("alpha", 1.0))


@operator("Celu")
def celu(node, x):
    return F.celu(x, node.get("alpha", 1.0))


@operator("Selu")
def selu(node, x):
    return F.selu(x)


@operator("ThresholdedRelu")
def thresholded_relu(node, x):
    return F.threshold(x, node.get("alpha", 1.0), 0.0)


@operator("HardSigmoid")
def hard_sigmoid(node, x):
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return F.hardsigmoid(x)
    return torch.clamp(x * alpha + beta, 0, 1)


@operator("PRelu", weights=(1,))
def prelu(node, x, slope):
    """The slope broadcasts to the input from the right; torch takes one a channel."""
    if slope.numel() == 1 or x.dim() > 1 and slope.numel() == x.shape[1]:
        return F.prelu(x, slope.reshape(-1))
    return torch.where(x > 0, x, x * slope)


@operator("Shrink")
def shrink(node, x):
    return F.hardshrink(x, node.get("lambd", 0.5))


@operator("Dropout", "Identity")
def identity(node, x, *rest):
    """At inference dropout passes its input on."""
    return x


@operator("Cast")
def cast(node, x):
    return x.to(dtype(node.get("to")))


@operator("CastLike")
def cast_like(node, x, like):
    return x.to(like.dtype)


@operator("BitShift")
def bit_shift(node, a, b):
    left = node.get("direction") == "LEFT"
    return torch.bitwise_left_shift(a, b) if left else torch.bitwise_right_shift(a, b)


@operator("CumSum")
def cumulative_sum(node, x, axis):
    dim = int(number(axis))
    out = torch.cumsum(x.flip(dim) if node.get("reverse", 0) else x, dim)
    return out.flip(dim) if node.get("reverse", 0) else out


@operator("Trilu")
def triangle(node, x, k=None):
    diagonal = 0 if k is None else int(number(k))
    return (torch.triu if node.get("upper", 1) else torch.tril)(x, diagonal)

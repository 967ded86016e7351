"""Normalizations, pooling, softmax, reductions and sorting."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._attributes import FLOAT, INT, INTS
from ._operators import Node, axes, ints, number, operator
from ._products import padded, pads

_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEAN_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_ADAPTIVE_MEAN = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


@operator("BatchNormalization", weights=(1, 2))
def batch_norm(
    node: Node, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    return F.batch_norm(
        x, mean, variance, scale, shift, False, 0.0, node.get("epsilon", FLOAT, 1e-5)
    )


@operator("LayerNormalization", weights=(1, 2))
def layer_norm(node: Node, x: Tensor, scale: Tensor, shift: Tensor | None = None) -> Tensor:
    shape = x.shape[node.get("axis", INT, -1) % x.dim() :]
    if tuple(scale.shape) != tuple(shape):
        out = F.layer_norm(x, shape, eps=node.get("epsilon", FLOAT, 1e-5)) * scale
        return out if shift is None else out + shift
    return F.layer_norm(x, shape, scale, shift, node.get("epsilon", FLOAT, 1e-5))


@operator("SimplifiedLayerNormalization", "RMSNormalization", weights=(1,))
def rms_norm(node: Node, x: Tensor, scale: Tensor) -> Tensor:
    return F.rms_norm(
        x, x.shape[node.get("axis", INT, -1) % x.dim() :], scale, node.get("epsilon", FLOAT, 1e-5)
    )


@operator("com.microsoft.SkipLayerNormalization", weights=(2, 3, 4))
def skip_layer_norm(
    node: Node,
    x: Tensor,
    skip: Tensor,
    scale: Tensor,
    shift: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, None, None, Tensor]:
    added = x + skip if bias is None else x + skip + bias
    out = F.layer_norm(added, added.shape[-1:], scale, shift, node.get("epsilon", FLOAT, 1e-12))
    return out, None, None, added


@operator("com.microsoft.SkipSimplifiedLayerNormalization", weights=(2, 3))
def skip_rms_norm(
    node: Node, x: Tensor, skip: Tensor, scale: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, None, None, Tensor]:
    added = x + skip if bias is None else x + skip + bias
    out = F.rms_norm(added, added.shape[-1:], scale, node.get("epsilon", FLOAT, 1e-6))
    return out, None, None, added


@operator("InstanceNormalization", weights=(1, 2))
def instance_norm(node: Node, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return F.instance_norm(x, weight=scale, bias=shift, eps=node.get("epsilon", FLOAT, 1e-5))


@operator("GroupNormalization", weights=(1, 2))
def group_norm(node: Node, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    groups, eps = node.get("num_groups", INT), node.get("epsilon", FLOAT, 1e-5)
    if scale.shape[0] == x.shape[1]:
        return F.group_norm(x, groups, scale, shift, eps)
    each = x.shape[1] // groups
    scale, shift = scale.repeat_interleave(each), shift.repeat_interleave(each)
    return F.group_norm(x, groups, scale, shift, eps)


@operator("LRN")
def local_response_norm(node: Node, x: Tensor) -> Tensor:
    return F.local_response_norm(
        x,
        node.get("size", INT),
        node.get("alpha", FLOAT, 1e-4),
        node.get("beta", FLOAT, 0.75),
        node.get("bias", FLOAT, 1.0),
    )


@operator("LpNormalization")
def lp_normalization(node: Node, x: Tensor) -> Tensor:
    return F.normalize(x, node.get("p", INT, 2), node.get("axis", INT, -1))


@operator("MaxPool")
def max_pool(node: Node, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
    kernel = node.get("kernel_shape", INTS)
    n = len(kernel)
    stride, dilation = node.get("strides", INTS, [1] * n), node.get("dilations", INTS, [1] * n)
    around = pads(node, x.shape[2:], kernel, stride, dilation)
    x, padding = padded(x, around, float("-inf"))
    ceil = bool(node.get("ceil_mode", INT, 0))
    return _MAX_POOLS[n](
        x, kernel, stride, padding, dilation, ceil_mode=ceil, return_indices=len(node.outputs) > 1
    )


@operator("AveragePool")
def average_pool(node: Node, x: Tensor) -> Tensor:
    kernel = node.get("kernel_shape", INTS)
    n = len(kernel)
    stride = node.get("strides", INTS, [1] * n)
    around = pads(node, x.shape[2:], kernel, stride, [1] * n)
    x, padding = padded(x, around)
    counted = bool(node.get("count_include_pad", INT, 0))
    return _MEAN_POOLS[n](x, kernel, stride, padding, bool(node.get("ceil_mode", INT, 0)), counted)


@operator("GlobalAveragePool")
def global_average_pool(node: Node, x: Tensor) -> Tensor:
    return _ADAPTIVE_MEAN[x.dim() - 2](x, 1)


@operator("GlobalMaxPool")
def global_max_pool(node: Node, x: Tensor) -> Tensor:
    return _ADAPTIVE_MAX[x.dim() - 2](x, 1)


def _softmax(fn: Callable[[Tensor, int], Tensor]) -> Callable[[Node, Tensor], Tensor]:
    def compute(node: Node, x: Tensor) -> Tensor:
        if node.opset >= 13:
            return fn(x, node.get("axis", INT, -1))
        axis = node.get("axis", INT, 1) % max(1, x.dim())
        if axis == x.dim() - 1:
            return fn(x, axis)
        return torch.unflatten(fn(x.flatten(axis), axis), axis, x.shape[axis:])

    return compute


operator("Softmax")(_softmax(torch.softmax))
operator("LogSoftmax")(_softmax(torch.log_softmax))


@operator("Hardmax")
def hardmax(node: Node, x: Tensor) -> Tensor:
    axis = node.get("axis", INT, -1)
    return torch.zeros_like(x).scatter(axis, x.argmax(axis, keepdim=True), 1)


_Reduction = Callable[[Tensor, list[int], bool], Tensor]  # of the axes; whether they are kept


def _reduced(fn: _Reduction) -> Callable[..., Tensor]:
    def compute(node: Node, x: Tensor, operand: Tensor | None = None) -> Tensor:
        dims = axes(node, operand)
        if not dims:
            if node.get("noop_with_empty_axes", INT, 0):
                return x
            dims = list(range(x.dim()))
        return fn(x, dims, bool(node.get("keepdims", INT, 1)))

    return compute


def _prod(x: Tensor, dims: list[int], keep: bool) -> Tensor:
    for d in sorted((d % x.dim() for d in dims), reverse=True):
        x = torch.prod(x, d, keep)
    return x


def _norm(x: Tensor, order: int, dims: list[int], keep: bool) -> Tensor:
    return torch.linalg.vector_norm(x, order, dims, keep)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


_REDUCTIONS: dict[str, _Reduction] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceProd": _prod,
    "ReduceLogSumExp": torch.logsumexp,
    "ReduceL1": lambda x, d, keep: _norm(x, 1, d, keep),
    "ReduceL2": lambda x, d, keep: _norm(x, 2, d, keep),
    "ReduceSumSquare": lambda x, d, keep: torch.sum(x * x, d, keep),
    "ReduceLogSum": lambda x, d, keep: torch.log(torch.sum(x, d, keep)),
}
for _name, _fn in _REDUCTIONS.items():
    operator(_name)(_reduced(_fn))


@operator("ArgMax")
def argmax(node: Node, x: Tensor) -> Tensor:
    return torch.argmax(x, node.get("axis", INT, 0), bool(node.get("keepdims", INT, 1)))


@operator("ArgMin")
def argmin(node: Node, x: Tensor) -> Tensor:
    return torch.argmin(x, node.get("axis", INT, 0), bool(node.get("keepdims", INT, 1)))


@operator("TopK")
def top_k(node: Node, x: Tensor, k: Tensor | None = None) -> tuple[Tensor, Tensor]:
    count = node.get("k", INT) if k is None else ints(k)[0]
    largest, ordered = bool(node.get("largest", INT, 1)), bool(node.get("sorted", INT, 1))
    values, places = torch.topk(x, count, node.get("axis", INT, -1), largest, ordered)
    return values, places


@operator("OneHot")
def one_hot(node: Node, indices: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    places = F.one_hot(indices, int(number(depth)))
    return places.movedim(-1, node.get("axis", INT, -1)).to(values.dtype)

"""Normalizations, pooling, softmax, reductions and sorting."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from ._operators import axes, ints, number, operator
from ._products import padded, pads

_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEAN_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_ADAPTIVE_MEAN = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


@operator("BatchNormalization", weights=(1, 2))
def batch_norm(node, x, scale, shift, mean, variance):
    return F.batch_norm(x, mean, variance, scale, shift, False, 0.0, node.get("epsilon", 1e-5))


@operator("LayerNormalization", weights=(1, 2))
def layer_norm(node, x, scale, shift=None):
    shape = x.shape[node.get("axis", -1) % x.dim() :]
    if tuple(scale.shape) != tuple(shape):
        out = F.layer_norm(x, shape, eps=node.get("epsilon", 1e-5)) * scale
        return out if shift is None else out + shift
    return F.layer_norm(x, shape, scale, shift, node.get("epsilon", 1e-5))


@operator("SimplifiedLayerNormalization", "RMSNormalization", weights=(1,))
def rms_norm(node, x, scale):
    return F.rms_norm(
        x, x.shape[node.get("axis", -1) % x.dim() :], scale, node.get("epsilon", 1e-5)
    )


@operator("com.microsoft.SkipLayerNormalization", weights=(2, 3, 4))
def skip_layer_norm(node, x, skip, scale, shift=None, bias=None):
    added = x + skip if bias is None else x + skip + bias
    out = F.layer_norm(added, added.shape[-1:], scale, shift, node.get("epsilon", 1e-12))
    return out, None, None, added


@operator("com.microsoft.SkipSimplifiedLayerNormalization", weights=(2, 3))
def skip_rms_norm(node, x, skip, scale, bias=None):
    added = x + skip if bias is None else x + skip + bias
    out = F.rms_norm(added, added.shape[-1:], scale, node.get("epsilon", 1e-6))
    return out, None, None, added


@operator("InstanceNormalization", weights=(1, 2))
def instance_norm(node, x, scale, shift):
    return F.instance_norm(x, weight=scale, bias=shift, eps=node.get("epsilon", 1e-5))


@operator("GroupNormalization", weights=(1, 2))
def group_norm(node, x, scale, shift):
    groups, eps = node.get("num_groups"), node.get("epsilon", 1e-5)
    if scale.shape[0] == x.shape[1]:
        return F.group_norm(x, groups, scale, shift, eps)
    each = x.shape[1] // groups
    scale, shift = scale.repeat_interleave(each), shift.repeat_interleave(each)
    return F.group_norm(x, groups, scale, shift, eps)


@operator("LRN")
def local_response_norm(node, x):
    return F.local_response_norm(
        x, node.get("size"), node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0)
    )


@operator("LpNormalization")
def lp_normalization(node, x):
    return F.normalize(x, node.get("p", 2), node.get("axis", -1))


@operator("MaxPool")
def max_pool(node, x):
    kernel = node.get("kernel_shape")
    n = len(kernel)
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    around = pads(node, x.shape[2:], kernel, stride, dilation)
    x, padding = padded(x, around, float("-inf"))
    ceil = bool(node.get("ceil_mode", 0))
    return _MAX_POOLS[n](
        x, kernel, stride, padding, dilation, ceil_mode=ceil, return_indices=len(node.outputs) > 1
    )


@operator("AveragePool")
def average_pool(node, x):
    kernel = node.get("kernel_shape")
    n = len(kernel)
    stride = node.get("strides", [1] * n)
    around = pads(node, x.shape[2:], kernel, stride, [1] * n)
    x, padding = padded(x, around)
    counted = bool(node.get("count_include_pad", 0))
    return _MEAN_POOLS[n](x, kernel, stride, padding, bool(node.get("ceil_mode", 0)), counted)


@operator("GlobalAveragePool")
def global_average_pool(node, x):
    return _ADAPTIVE_MEAN[x.dim() - 2](x, 1)


@operator("GlobalMaxPool")
def global_max_pool(node, x):
    return _ADAPTIVE_MAX[x.dim() - 2](x, 1)


def _softmax(fn):
    def compute(node, x):
        if node.opset >= 13:
            return fn(x, node.get("axis", -1))
        axis = node.get("axis", 1) % max(1, x.dim())
        if axis == x.dim() - 1:
            return fn(x, axis)
        return fn(x.flatten(axis), axis).unflatten(axis, x.shape[axis:])

    return compute


operator("Softmax")(_softmax(torch.softmax))
operator("LogSoftmax")(_softmax(torch.log_softmax))


@operator("Hardmax")
def hardmax(node, x):
    axis = node.get("axis", -1)
    return torch.zeros_like(x).scatter(axis, x.argmax(axis, keepdim=True), 1)


def _reduced(fn):
    def compute(node, x, operand=None):
        dims = axes(node, operand)
        if not dims:
            if node.get("noop_with_empty_axes", 0):
                return x
            dims = list(range(x.dim()))
        return fn(x, dims, bool(node.get("keepdims", 1)))

    return compute


def _prod(x, dims, keep):
    for d in sorted((d % x.dim() for d in dims), reverse=True):
        x = torch.prod(x, d, keep)
    return x


_REDUCTIONS = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceProd": _prod,
    "ReduceLogSumExp": torch.logsumexp,
    "ReduceL1": lambda x, d, keep: torch.linalg.vector_norm(x, 1, d, keep),
    "ReduceL2": lambda x, d, keep: torch.linalg.vector_norm(x, 2, d, keep),
    "ReduceSumSquare": lambda x, d, keep: torch.sum(x * x, d, keep),
    "ReduceLogSum": lambda x, d, keep: torch.log(torch.sum(x, d, keep)),
}
for _name, _fn in _REDUCTIONS.items():
    operator(_name)(_reduced(_fn))


@operator("ArgMax")
def argmax(node, x):
    return torch.argmax(x, node.get("axis", 0), bool(node.get("keepdims", 1)))


@operator("ArgMin")
def argmin(node, x):
    return torch.argmin(x, node.get("axis", 0), bool(node.get("keepdims", 1)))


@operator("TopK")
def top_k(node, x, k=None):
    count = node.get("k") if k is None else ints(k)[0]
    largest, ordered = bool(node.get("largest", 1)), bool(node.get("sorted", 1))
    return torch.topk(x, count, node.get("axis", -1), largest, ordered)


@operator("OneHot")
def one_hot(node, indices, depth, values):
    return F.one_hot(indices, int(number(depth))).movedim(-1, node.get("axis", -1)).to(values.dtype)

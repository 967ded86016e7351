"""Output shapes of common operations on `meta`, so that the first trace of a process does not wait
for torch's own Python kernels, which import sympy and dynamo (as long as `import torch`). A rule
gives None for what it does not cover, and torch answers; tests hold every rule against torch's
shape, stride and dtype."""

from __future__ import annotations

import torch

_RULES = {}
_empty = torch.empty


def rule(*names):
    """Register `fn(*args, **kwargs) -> tensor, tuple or None` for overloads such as
    "aten.relu.default"."""

    def register(fn):
        _RULES.update(dict.fromkeys(names, fn))
        return fn

    return register


def find(func):
    """The rule of an overload, or None."""
    return _RULES.get(str(func))


def _like(x, shape, dtype=None):
    """Empty, channels-last as `x` is."""
    last = (
        len(shape) == 4
        and x.dim() == 4
        and not x.is_contiguous()
        and x.is_contiguous(memory_format=torch.channels_last)
    )
    return _empty(
        shape,
        dtype=dtype or x.dtype,
        device="meta",
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def _new(x):
    return _empty(x.shape, dtype=x.dtype, device="meta")


def _dims(value, n, default=1):
    return (
        (default,) * n
        if value is None or len(value) == 0
        else tuple(value) * n
        if len(value) == 1
        else tuple(value)
    )


@rule("aten.convolution.default")
def _convolution(  # noqa: PLR0917  the schema of the operation
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups
):
    n = weight.dim() - 2
    if (
        transposed
        or x.dim() != n + 2
        or x.shape[1] != weight.shape[1] * groups
        or x.dtype != weight.dtype
        or 0 in x.shape
    ):
        return None
    out = tuple(
        (i + 2 * p - d * (k - 1) - 1) // s + 1
        for i, k, s, p, d in zip(
            x.shape[2:],
            weight.shape[2:],
            _dims(stride, n),
            _dims(padding, n),
            _dims(dilation, n),
            strict=True,
        )
    )
    if n != 2 or min(out) <= 0 or not (_dense(weight) and _dense(x)):
        return None
    # torch's own kernel for `meta` forgets the layout, which those of devices take from either
    last = any(map(_looks_channels_last, (x, weight)))
    return _empty(
        (x.shape[0], weight.shape[0], *out),
        dtype=x.dtype,
        device="meta",
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def _looks_channels_last(x):
    """Whether kernels take a 4-d tensor as channels-last, by its strides alone: those of dimensions
    of one element count too (`is_channels_last_strides_2d_s4` in c10/core/MemoryFormat.h)."""
    least = 0
    for d in (1, 3, 2, 0):
        step = x.stride(d)
        if step < least or step == 0 and d == 1 or d == 0 and least == x.stride(1):
            return False
        least = step * x.shape[d]
    return True


def _dense(x):
    return x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)


@rule(
    *(
        f"aten.{n}.default"
        for n in [
            "relu",
            "gelu",
            "silu",
            "sigmoid",
            "tanh",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "leaky_relu",
            "elu",
            "_softmax",
            "exp",
            "rsqrt",
            "neg",
            "cos",
            "sin",
            "sqrt",
            "abs",
        ]
    ),
    "aten._softmax.default",
    "aten.pow.Tensor_Scalar",
)
def _same(x, *args, **kwargs):
    half_to_float = len(args) == 2 and args[1] is True
    return _new(x) if x.is_floating_point() and x.is_contiguous() and not half_to_float else None


@rule(
    *(
        f"aten.{n}_.default"
        for n in ["relu", "hardtanh", "hardswish", "silu", "leaky_relu", "elu", "sigmoid"]
    )
)
def _in_place(x, *args, **kwargs):
    return x


@rule(
    "aten.add.Tensor",
    "aten.mul.Tensor",
    "aten.sub.Tensor",
    "aten.div.Tensor",
    "aten.add.Scalar",
    "aten.mul.Scalar",
    "aten.div.Scalar",
    "aten.sub.Scalar",
)
def _binary(a, b, **kwargs):
    if not a.is_floating_point() or not a.is_contiguous():
        return None
    if not isinstance(b, torch.Tensor):
        return _new(a) if isinstance(b, (int, float)) else None
    if a.shape == b.shape and a.dtype == b.dtype and b.is_contiguous():
        return _new(a)
    return None


@rule("aten.add_.Tensor", "aten.mul_.Tensor")
def _binary_in_place(a, b, **kwargs):
    return (
        a if not isinstance(b, torch.Tensor) or a.shape == b.shape and a.dtype == b.dtype else None
    )


@rule("aten.mm.default")
def _mm(a, b):
    return (
        _empty((a.shape[0], b.shape[1]), dtype=a.dtype, device="meta")
        if a.shape[1] == b.shape[0] and a.dtype == b.dtype
        else None
    )


@rule("aten.addmm.default")
def _addmm(c, a, b, **kwargs):
    return _mm(a, b) if c.dtype == a.dtype and c.dim() == 1 and c.shape[0] == b.shape[1] else None


@rule("aten.bmm.default")
def _bmm(a, b):
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1] or a.dtype != b.dtype:
        return None
    return _empty((a.shape[0], a.shape[1], b.shape[2]), dtype=a.dtype, device="meta")


@rule("aten._grouped_mm.default")
def _grouped_mm(a, b, offs=None, bias=None, out_dtype=None):
    """torch's own shapes are for bfloat16 alone; its CPU kernel takes float32 too."""
    if (
        offs is not None
        and a.dim() == b.dim() == 2
        and a.shape[1] == b.shape[0]
        and a.dtype == b.dtype
    ):  # the weights' gradients
        return _empty(
            (offs.shape[0], a.shape[0], b.shape[1]), dtype=out_dtype or a.dtype, device="meta"
        )
    if (
        a.dim() != 2
        or b.dim() != 3
        or a.shape[1] != b.shape[1]
        or a.dtype != b.dtype
        or offs is None
    ):
        return None
    return _empty((a.shape[0], b.shape[2]), dtype=out_dtype or a.dtype, device="meta")


@rule("aten.cat.default")
def _cat(tensors, dim=0):
    first = tensors[0]
    if not first.is_floating_point():
        return None  # its values may be needed
    dim %= first.dim()
    if any(
        t.dim() != first.dim()
        or t.dtype != first.dtype
        or not t.is_contiguous()
        or any(
            a != b for i, (a, b) in enumerate(zip(t.shape, first.shape, strict=True)) if i != dim
        )
        for t in tensors
    ):
        return None
    shape = list(first.shape)
    shape[dim] = sum(t.shape[dim] for t in tensors)
    return _empty(shape, dtype=first.dtype, device="meta")


@rule("aten.mean.dim")
def _mean(x, dim, keepdim=False, **kwargs):
    if kwargs or not x.is_floating_point() or not dim or not x.is_contiguous():
        return None
    gone = {d % x.dim() for d in dim}
    shape = [1 if i in gone else s for i, s in enumerate(x.shape) if keepdim or i not in gone]
    return _empty(shape, dtype=x.dtype, device="meta")


@rule("aten.native_batch_norm.default")
def _batch_norm(  # noqa: PLR0917  the schema of the operation
    x, weight, bias, mean, var, training, momentum, eps
):
    if training or not x.is_contiguous():
        return None
    none = _empty((0,), dtype=x.dtype, device="meta")
    return _new(x), none, _empty((0,), dtype=x.dtype, device="meta")


@rule("aten.native_layer_norm.default")
def _layer_norm(x, shape, weight, bias, eps):
    if (
        not x.is_contiguous()
        or x.dtype not in (torch.float32, torch.float64)
        or tuple(x.shape[-len(shape) :]) != tuple(shape)
    ):
        return None
    kept = (*x.shape[: -len(shape)], *([1] * len(shape)))
    return (
        _new(x),
        _empty(kept, dtype=x.dtype, device="meta"),
        _empty(kept, dtype=x.dtype, device="meta"),
    )


def _pooled(x, n, kernel, *, stride, padding, dilation, ceil_mode):
    if x.dim() != n + 2 or not x.is_contiguous():
        return None
    kernel, padding, dilation = _dims(kernel, n), _dims(padding, n, 0), _dims(dilation, n)
    stride, out = _dims(stride, n) if stride else kernel, []
    for i, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        if 2 * p > k:
            return None
        span = i + 2 * p - d * (k - 1) - 1
        size = (span + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (size - 1) * s >= i + p:  # a window must begin inside
            size -= 1
        if size < 1:
            return None
        out.append(size)
    return _like(x, (*x.shape[:2], *out))


@rule("aten.max_pool2d_with_indices.default")
def _max_pool(x, kernel, stride=(), padding=(0,), dilation=(1,), ceil_mode=False):
    out = _pooled(
        x, 2, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    return None if out is None else (out, _empty(out.shape, dtype=torch.int64, device="meta"))


@rule("aten.avg_pool2d.default", "aten.avg_pool3d.default")
def _avg_pool(x, kernel, stride=(), padding=(0,), ceil_mode=False, *rest):
    return _pooled(
        x, x.dim() - 2, kernel, stride=stride, padding=padding, dilation=(1,), ceil_mode=ceil_mode
    )


@rule("aten.embedding.default")
def _embedding(weight, ids, *args, **kwargs):
    if ids.dtype not in (torch.int64, torch.int32):
        raise RuntimeError(
            f"Expected tensor for argument 'indices' to have one of the following "
            f"scalar types: Long, Int; but got {ids.dtype} instead"
        )
    return _empty((*ids.shape, weight.shape[1]), dtype=weight.dtype, device="meta")

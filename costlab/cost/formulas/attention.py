"""Attention as fused kernels, which the plain forms of a trace usually replace."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, shape_of

_SOFTMAX = 5  # FLOPs an element: max, subtract, exp, sum, divide
Shape = tuple[int, ...]
_KERNELS = (
    "flash_attention",
    "efficient_attention",
    "cudnn_attention",
    "flash_attention_for_cpu",
    "fused_attention_overrideable",
)


def _attention_macs(q: Shape, k: Shape, v: Shape) -> int:
    """q (b, h, s, d), k (b, h', n, d), v (b, h', n, e): b h s n (d + e)."""
    return prod(q[:-1]) * k[-2] * (q[-1] + v[-1])


@formula("aten.scaled_dot_product_attention", *(f"aten._scaled_dot_product_{n}" for n in _KERNELS))
def attention(trace: Trace, op: Op) -> Work:
    """Scores and their product with the values, b h s n (d + e) for q (b, h, s, d), k (b, h', n, d)
    and v (b, h', n, e), and the softmax of b h s n scores. A mask does not change the count.

    Source: Vaswani et al. 2017, "Attention Is All You Need", equation 1."""
    q, k, v = trace.shapes(op)[:3]
    macs = _attention_macs(q, k, v)
    return Work(macs, 2 * macs + _SOFTMAX * prod(q[:-1]) * k[-2])


@formula(*(f"aten._scaled_dot_product_{n}_backward" for n in _KERNELS))
def attention_backward(trace: Trace, op: Op) -> Work:
    """Gradients of q, k, v and of the scores: twice the forward's products. Scores that a fused
    kernel works out again are not counted, so that no count depends on the kernel."""
    q, k, v = trace.shapes(op)[1:4]
    macs = 2 * _attention_macs(q, k, v)
    return Work(macs, 2 * macs + 2 * _SOFTMAX * prod(q[:-1]) * k[-2])


@formula("aten._native_multi_head_attention")
def multi_head_attention(trace: Trace, op: Op) -> Work:
    """nn.MultiheadAttention's fast path: q (b, s, e), k (b, n, e): b (2 s + 2 n) e e for the
    projections, 2 b s n e for the attention."""
    (b, s, e), n = shape_of(trace, op), shape_of(trace, op, 1)[1]
    macs = b * (2 * s + 2 * n) * e * e + 2 * b * s * n * e
    return Work(macs, 2 * macs + _SOFTMAX * b * op.attrs.get("num_head", 1) * s * n)


@formula("aten._transformer_encoder_layer_fwd")
def encoder_layer(trace: Trace, op: Op) -> Work:
    """The fast path of nn.TransformerEncoderLayer: x (b, s, e) with each weight matrix once a
    token, and 2 b s s e for the attention."""
    b, s, e = shape_of(trace, op)
    shapes = trace.shapes(op)[1:]
    weights = sum(prod(shape) for shape in shapes if len(shape) == 2 and e in shape)
    macs = b * s * weights + 2 * b * s * s * e
    return Work(macs, 2 * macs)


@formula(*aten("_softmax _log_softmax _safe_softmax"))
def softmax(trace: Trace, op: Op) -> Work:
    """Max, subtract, exp, sum, divide: five FLOPs an output element."""
    return Work(flops=_SOFTMAX * sum(trace.tensors[i].numel for i in op.outputs))


@formula(*aten("_softmax_backward_data _log_softmax_backward_data _masked_softmax_backward"))
def softmax_backward(trace: Trace, op: Op) -> Work:
    """Product, sum, subtract, product: four FLOPs an element."""
    return Work(flops=4 * sum(trace.tensors[i].numel for i in op.outputs))

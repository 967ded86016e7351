"""onnxruntime's own fused operators (domain com.microsoft), by what they are fused from.

Source: onnxruntime, docs/ContribOperators.md."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._attributes import FLOAT, INT, INTS, TEXT
from ._operators import Node, operator
from ._products import convolution, gemm, split_heads

_ACTIVATIONS = {"Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh}


@operator("com.microsoft.FusedConv", weights=(1, 2))
def fused_convolution(
    node: Node, x: Tensor, w: Tensor, b: Tensor | None = None, added: Tensor | None = None
) -> Tensor:
    out = convolution(node, x, w, b)
    return _activated(node, out if added is None else out + added)


@operator("com.microsoft.FusedGemm", weights=(1, 2))
def fused_gemm(node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    return _activated(node, gemm(node, a, b, c))


def _activated(node: Node, x: Tensor) -> Tensor:
    name = node.get("activation", TEXT, "")
    if name and name not in _ACTIVATIONS:
        raise ValueError(f"{node.operator} with the activation {name} has no mapping")
    return _ACTIVATIONS[name](x) if name else x


@operator("com.microsoft.Attention", weights=(1, 2))
def self_attention(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    mask: Tensor | None = None,
    past: Tensor | None = None,
    bias: Tensor | None = None,
    *rest: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """(batch, tokens, c) by one weight (c, queries + keys + values)."""
    sizes = node.get("qkv_hidden_sizes", INTS, None) or [w.shape[1] // 3] * 3
    parts = torch.split(F.linear(x, w.t(), b), sizes, -1)
    q, k, v = (split_heads(part, node.get("num_heads", INT)) for part in parts)
    if past is not None:
        k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
    return _attended(node, q, k, v, mask, bias), torch.stack((k, v))


@operator("com.microsoft.MultiHeadAttention", weights=(3,))
def multi_head_attention(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    q: Tensor,
    k: Tensor | None = None,
    v: Tensor | None = None,
    b: Tensor | None = None,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    *past: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """(batch, tokens, heads x size) each; packed as (batch, tokens, heads, 3, size), or keys and
    values as (batch, tokens, heads, 2, size); keys and values may have heads of their own."""
    heads = node.get("num_heads", INT)
    if k is None:
        q, k, v = (part.flatten(2) for part in q.unbind(3))
    elif v is None:
        k, v = (part.flatten(2) for part in k.unbind(3))
    if b is not None:
        sizes = [q.shape[-1], b.shape[0] - q.shape[-1] - v.shape[-1], v.shape[-1]]
        q, k, v = (
            t + part if t.dim() == 3 else t
            for t, part in zip((q, k, v), torch.split(b, sizes), strict=True)
        )
    q, k, v = (split_heads(t, heads) if t.dim() == 3 else t for t in (q, k, v))
    k, v = (_after(p, t) for p, t in zip((*past, None, None), (k, v), strict=False))
    return _attended(node, q, k, v, mask, bias), k, v


@operator("com.microsoft.GroupQueryAttention")
def group_query_attention(
    node: Node, q: Tensor, k: Tensor | None = None, v: Tensor | None = None, *past: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries of `num_heads`, keys and values of `kv_num_heads`, after those of the past. Rotary
    positions are elementwise work of the kernel, and not computed."""
    heads, groups = node.get("num_heads", INT), node.get("kv_num_heads", INT)
    if k is None or v is None:
        size = q.shape[-1] // (heads + 2 * groups)
        q, k, v = torch.split(q, [heads * size, groups * size, groups * size], -1)
    q, k, v = (split_heads(t, n) for t, n in ((q, heads), (k, groups), (v, groups)))
    k, v = (_after(p, t) for p, t in zip((*past, None, None), (k, v), strict=False))
    out = F.scaled_dot_product_attention(
        q,
        k,
        v,
        _causal(q, k),
        scale=node.get("scale", FLOAT, 0.0) or None,
        enable_gqa=heads != groups,
    )
    return out.transpose(1, 2).flatten(2), k, v


def _after(past: Tensor | None, now: Tensor) -> Tensor:
    """Keys or values after those of the past."""
    return now if past is None else torch.cat((past, now), 2)


def _attended(
    node: Node, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None
) -> Tensor:
    """(batch, tokens, heads x size); `mask` of (batch, keys), or (batch) lengths."""
    allowed = _causal(q, k) if node.get("unidirectional", INT, 0) else None
    if mask is not None:
        if mask.dim() == 1 and mask.shape[0] == k.shape[0]:
            mask = torch.arange(k.shape[2], device=mask.device) < mask[:, None]
        if mask.dim() != 2 or mask.shape[1] != k.shape[2]:
            raise ValueError(f"{node.operator} with a mask of this shape has no mapping")
        seen = mask.to(torch.bool)[:, None, None]
        allowed = seen if allowed is None else seen & allowed
    if bias is not None and allowed is not None:
        bias = bias.masked_fill(~allowed, float("-inf"))
    out = F.scaled_dot_product_attention(
        q, k, v, allowed if bias is None else bias, scale=node.get("scale", FLOAT, 0.0) or None
    )
    return out.transpose(1, 2).flatten(2)


def _causal(q: Tensor, k: Tensor) -> Tensor:
    """Each query sees the keys of the past and those up to its own."""
    ones = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
    return ones.tril(k.shape[2] - q.shape[2])

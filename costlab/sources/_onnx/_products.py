"""Convolutions, matrix products, attention and recurrent layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from . import _integer
from ._operators import Node, operator

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def pads(node: Node, size, kernel, stride, dilation) -> list[tuple[int, int]]:
    """Zeros before and after each spatial dimension, by `pads` or `auto_pad`."""
    n, auto = len(kernel), node.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return [(0, 0)] * n
    if auto == "NOTSET":
        given = node.get("pads", [0] * 2 * n)
        return list(zip(given[:n], given[n:], strict=True))
    found = []
    for i, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        whole = max(0, (-(-i // s) - 1) * s + d * (k - 1) + 1 - i)
        small, large = whole // 2, whole - whole // 2
        found.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return found


def padded(x, around, value=0.0):
    """The input and the symmetric padding that is left to the operation: none where the sides
    differ, which are then padded here."""
    if all(before == after for before, after in around):
        return x, [before for before, _ in around]
    flat = [n for pair in reversed(around) for n in pair]
    return F.pad(x, flat, value=value), [0] * len(around)


@operator("Conv", weights=(1, 2))
def convolution(node, x, w, b=None):
    n = w.dim() - 2
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    around = pads(node, x.shape[2:], w.shape[2:], stride, dilation)
    x, padding = padded(x, around)
    convolve = _integer.convolution if node.integer else _CONVOLUTIONS[n]
    return convolve(x, w, b, stride, padding, dilation, node.get("group", 1))


@operator("ConvTranspose", weights=(1, 2))
def transposed_convolution(node, x, w, b=None):
    n = w.dim() - 2
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    extra, cut = node.get("output_padding", [0] * n), node.get("pads", [0] * 2 * n)
    before, after = list(cut[:n]), list(cut[n:])
    whole = [
        s * (i - 1) + e + d * (k - 1) + 1
        for i, s, e, d, k in zip(x.shape[2:], stride, extra, dilation, w.shape[2:], strict=True)
    ]
    wanted = node.get("output_shape")
    if wanted is None and node.get("auto_pad", "NOTSET") in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [i * s for i, s in zip(x.shape[2:], stride, strict=True)]
    if wanted is not None:
        total = [a - b for a, b in zip(whole, wanted, strict=True)]
        before = [t // 2 for t in total]
        after = [t - t // 2 for t in total]
    symmetric = before == after
    padding = before if symmetric else [0] * n
    out = _TRANSPOSED[n](x, w, b, stride, padding, extra, node.get("group", 1), dilation)
    if symmetric:
        return out
    return F.pad(out, [-c for pair in zip(before[::-1], after[::-1], strict=True) for c in pair])


@operator("Gemm", weights=(1, 2))
def gemm(node, a, b, c=None):
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    a = a.t() if node.get("transA", 0) else a
    usual = alpha == 1 and beta == 1 and not node.integer
    if usual and (c is None or c.dim() == 1 and c.shape[0] > 1):
        return F.linear(a, b if node.get("transB", 0) else b.t(), c)
    b = b.t() if node.get("transB", 0) else b
    if node.integer:
        out = _integer.product(a, b) * alpha
        return out if c is None else out + c * beta
    if c is None:
        return torch.mm(a, b) * alpha
    return torch.addmm(c, a, b, alpha=alpha, beta=beta)


@operator("MatMul", weights=(0, 1))
def matmul(node, a, b):
    return _integer.product(a, b) if node.integer else torch.matmul(a, b)


@operator("com.microsoft.FusedMatMul", weights=(1,))
def fused_matmul(node, a, b):
    a = a.transpose(-1, -2) if node.get("transA", 0) else a
    b = b.transpose(-1, -2) if node.get("transB", 0) else b
    out, alpha = torch.matmul(a, b), node.get("alpha", 1.0)
    return out if alpha == 1 else out * alpha


@operator("Einsum", weights=(0, 1))
def einsum(node, *inputs):
    return torch.einsum(node.get("equation"), *inputs)


@operator("Attention")
def attention(node, q, k, v, mask=None, past_key=None, past_value=None, *rest):  # noqa: PLR0917  (the operands of ONNX)
    """ONNX 23, Attention: (batch, heads, tokens, size), or (batch, tokens, heads x size)."""
    flat = q.dim() == 3
    if flat:
        heads, groups = node.get("q_num_heads"), node.get("kv_num_heads")
        q, k, v = (split_heads(t, n) for t, n in ((q, heads), (k, groups), (v, groups)))
    if past_key is not None:
        assert past_value is not None, "Attention has past_key without past_value"
        k, v = torch.cat((past_key, k), 2), torch.cat((past_value, v), 2)
    out = F.scaled_dot_product_attention(
        q,
        k,
        v,
        mask,
        is_causal=bool(node.get("is_causal", 0)) and mask is None,
        scale=node.get("scale"),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    return (out.transpose(1, 2).flatten(2) if flat else out), k, v


def split_heads(x, heads):
    """(batch, tokens, heads x size) as (batch, heads, tokens, size)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _gates(w, order):
    """The rows of each gate, in torch's order."""
    parts = w.chunk(len(order), 0)
    return torch.cat([parts[i] for i in order])


@operator("LSTM", weights=(1, 2, 3))
def lstm(node, x, w, r, b=None, lengths=None, h=None, c=None, peepholes=None):  # noqa: PLR0917  (the operands of ONNX)
    """ONNX has the gates input, output, forget, cell; torch input, forget, cell, output."""
    _refuse(node, ("Sigmoid", "Tanh", "Tanh"), peepholes)
    flat, layers = _weights(node, w, r, b, (0, 2, 3, 1))
    x, h, c = _time_first(node, x), _state(node, x, w, r, h), _state(node, x, w, r, c)
    out, h, c = torch.lstm(x, (h, c), flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h), _ends(node, c)


@operator("GRU", weights=(1, 2, 3))
def gru(node, x, w, r, b=None, lengths=None, h=None):  # noqa: PLR0917  (the operands of ONNX)
    """ONNX has the gates update, reset, new; torch reset, update, new."""
    _refuse(node, ("Sigmoid", "Tanh"), None)
    flat, layers = _weights(node, w, r, b, (1, 0, 2))
    x, h = _time_first(node, x), _state(node, x, w, r, h)
    out, h = torch.gru(x, h, flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h)


@operator("RNN", weights=(1, 2, 3))
def rnn(node, x, w, r, b=None, lengths=None, h=None):  # noqa: PLR0917  (the operands of ONNX)
    flat, layers = _weights(node, w, r, b, (0,))
    x, h = _time_first(node, x), _state(node, x, w, r, h)
    relu = [a.lower() for a in node.get("activations", ())][:1] == ["relu"]
    run = torch.rnn_relu if relu else torch.rnn_tanh
    out, h = run(x, h, flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h)


def _refuse(node, usual, peepholes):
    given = tuple(a.capitalize() for a in node.get("activations", ()))
    if peepholes is not None or given and given[: len(usual)] != usual:
        raise ValueError(f"{node.operator} with peepholes or other activations has no mapping")


def _weights(node, w, r, b, order):
    """The weights as torch takes them, and the number of directions."""
    flat = []
    for d in range(w.shape[0]):
        flat += [_gates(w[d], order), _gates(r[d], order)]
        if b is not None:
            flat += [_gates(part, order) for part in b[d].chunk(2)]
    return flat, w.shape[0]


def _time_first(node, x):
    return x.transpose(0, 1) if node.get("layout", 0) else x


def _state(node, x, w, r, state):
    if state is not None:
        return state.transpose(0, 1) if node.get("layout", 0) else state
    batch = x.shape[0 if node.get("layout", 0) else 1]
    return x.new_zeros((w.shape[0], batch, r.shape[-1]))


def _ends(node, state):
    return state.transpose(0, 1) if node.get("layout", 0) else state


def _sequence(node, out, directions):
    """(time, batch, directions x hidden) as (time, directions, batch, hidden)."""
    out = out.unflatten(-1, (directions, -1))
    return out if node.get("layout", 0) else out.transpose(1, 2)

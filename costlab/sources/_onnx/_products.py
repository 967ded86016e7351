"""Convolutions, matrix products, attention and recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from . import _integer
from ._attributes import FLOAT, INT, INTS, TEXT, TEXTS
from ._operators import Node, operator, require_pieces

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


_Sizes = Sequence[int]
Around = list[tuple[int, int]]  # before and after each spatial dimension


def pads(node: Node, size: _Sizes, kernel: _Sizes, stride: _Sizes, dilation: _Sizes) -> Around:
    """Zeros before and after each spatial dimension, by `pads` or `auto_pad`."""
    n, auto = len(kernel), node.get("auto_pad", TEXT, "NOTSET")
    if auto == "VALID":
        return [(0, 0)] * n
    if auto == "NOTSET":
        given = node.get("pads", INTS, [0] * 2 * n)
        return list(zip(given[:n], given[n:], strict=True))
    found: Around = []
    for i, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        whole = max(0, (-(-i // s) - 1) * s + d * (k - 1) + 1 - i)
        small, large = whole // 2, whole - whole // 2
        found.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return found


def padded(x: Tensor, around: Around, value: float = 0.0) -> tuple[Tensor, list[int]]:
    """The input and the symmetric padding that is left to the operation: none where the sides
    differ, which are then padded here."""
    if all(before == after for before, after in around):
        return x, [before for before, _ in around]
    flat = [n for pair in reversed(around) for n in pair]
    return F.pad(x, flat, value=value), [0] * len(around)


@operator("Conv", weights=(1, 2))
def convolution(node: Node, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    n = w.dim() - 2
    stride, dilation = node.get("strides", INTS, [1] * n), node.get("dilations", INTS, [1] * n)
    around = pads(node, x.shape[2:], w.shape[2:], stride, dilation)
    x, padding = padded(x, around)
    convolve = _integer.convolution if node.integer else _CONVOLUTIONS[n]
    return convolve(x, w, b, stride, padding, dilation, node.get("group", INT, 1))


@operator("ConvTranspose", weights=(1, 2))
def transposed_convolution(node: Node, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    n = w.dim() - 2
    stride, dilation = node.get("strides", INTS, [1] * n), node.get("dilations", INTS, [1] * n)
    extra = node.get("output_padding", INTS, [0] * n)
    before, after = _cut(node, x.shape[2:], w.shape[2:], stride, dilation, extra)
    symmetric = before == after
    padding = before if symmetric else [0] * n
    out = _TRANSPOSED[n](x, w, b, stride, padding, extra, node.get("group", INT, 1), dilation)
    if symmetric:
        return out
    return F.pad(out, [-c for pair in zip(before[::-1], after[::-1], strict=True) for c in pair])


def _cut(
    node: Node, size: _Sizes, kernel: _Sizes, stride: _Sizes, dilation: _Sizes, extra: _Sizes
) -> tuple[list[int], list[int]]:
    """What a transposed convolution cuts off before and after each spatial dimension: `pads`, or
    what is over the size that `output_shape` or `auto_pad` asks for."""
    n = len(kernel)
    cut = node.get("pads", INTS, [0] * 2 * n)
    wanted = node.get("output_shape", INTS, None)
    if wanted is None and node.get("auto_pad", TEXT, "NOTSET") in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [i * s for i, s in zip(size, stride, strict=True)]
    if wanted is None:
        return cut[:n], cut[n:]
    whole = [
        s * (i - 1) + e + d * (k - 1) + 1
        for i, s, e, d, k in zip(size, stride, extra, dilation, kernel, strict=True)
    ]
    total = [a - b for a, b in zip(whole, wanted, strict=True)]
    return [t // 2 for t in total], [t - t // 2 for t in total]


@operator("Gemm", weights=(1, 2))
def gemm(node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    alpha, beta = node.get("alpha", FLOAT, 1.0), node.get("beta", FLOAT, 1.0)
    a = a.t() if node.get("transA", INT, 0) else a
    usual = alpha == 1 and beta == 1 and not node.integer
    if usual and (c is None or c.dim() == 1 and c.shape[0] > 1):
        return F.linear(a, b if node.get("transB", INT, 0) else b.t(), c)
    b = b.t() if node.get("transB", INT, 0) else b
    if node.integer:
        out = _integer.product(a, b) * alpha
        return out if c is None else out + c * beta
    if c is None:
        return torch.mm(a, b) * alpha
    return torch.addmm(c, a, b, alpha=alpha, beta=beta)


@operator("MatMul", weights=(0, 1))
def matmul(node: Node, a: Tensor, b: Tensor) -> Tensor:
    return _integer.product(a, b) if node.integer else torch.matmul(a, b)


@operator("com.microsoft.FusedMatMul", weights=(1,))
def fused_matmul(node: Node, a: Tensor, b: Tensor) -> Tensor:
    a = a.transpose(-1, -2) if node.get("transA", INT, 0) else a
    b = b.transpose(-1, -2) if node.get("transB", INT, 0) else b
    out, alpha = torch.matmul(a, b), node.get("alpha", FLOAT, 1.0)
    return out if alpha == 1 else out * alpha


@operator("Einsum", weights=(0, 1))
def einsum(node: Node, *inputs: Tensor) -> Tensor:
    return torch.einsum(node.get("equation", TEXT), *inputs)


@operator("Attention")
def attention(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    *rest: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """ONNX 23, Attention: (batch, heads, tokens, size), or (batch, tokens, heads x size)."""
    flat = q.dim() == 3
    if flat:
        heads, groups = node.get("q_num_heads", INT), node.get("kv_num_heads", INT)
        q, k, v = (split_heads(t, n) for t, n in ((q, heads), (k, groups), (v, groups)))
    if past_key is not None:
        if past_value is None:
            raise ValueError(f"Attention ({node.name}) has past_key without past_value")
        k, v = torch.cat((past_key, k), 2), torch.cat((past_value, v), 2)
    out = F.scaled_dot_product_attention(
        q,
        k,
        v,
        mask,
        is_causal=bool(node.get("is_causal", INT, 0)) and mask is None,
        scale=node.get("scale", FLOAT, None),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    return (out.transpose(1, 2).flatten(2) if flat else out), k, v


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(batch, tokens, heads x size) as (batch, heads, tokens, size)."""
    return torch.unflatten(x, -1, (heads, -1)).transpose(1, 2)


def _gates(w: Tensor, order: Sequence[int]) -> Tensor:
    """The rows of each gate, in torch's order."""
    parts = torch.chunk(w, len(order), 0)
    return torch.cat([parts[i] for i in order])


@operator("LSTM", weights=(1, 2, 3))
def lstm(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
    c: Tensor | None = None,
    peepholes: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """ONNX has the gates input, output, forget, cell; torch input, forget, cell, output."""
    _refuse(node, ("Sigmoid", "Tanh", "Tanh"), peepholes)
    flat, layers = _weights(w, r, b, (0, 2, 3, 1))
    x, h, c = _time_first(node, x), _state(node, x, w, r, h), _state(node, x, w, r, c)
    out, h, c = torch.lstm(x, (h, c), flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h), _ends(node, c)


@operator("GRU", weights=(1, 2, 3))
def gru(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """ONNX has the gates update, reset, new; torch reset, update, new."""
    _refuse(node, ("Sigmoid", "Tanh"), None)
    flat, layers = _weights(w, r, b, (1, 0, 2))
    x, h = _time_first(node, x), _state(node, x, w, r, h)
    out, h = torch.gru(x, h, flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h)


@operator("RNN", weights=(1, 2, 3))
def rnn(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    flat, layers = _weights(w, r, b, (0,))
    x, h = _time_first(node, x), _state(node, x, w, r, h)
    relu = [a.lower() for a in node.get("activations", TEXTS, ())][:1] == ["relu"]
    run = torch.rnn_relu if relu else torch.rnn_tanh
    out, h = run(x, h, flat, b is not None, 1, 0.0, False, layers == 2, False)
    return _sequence(node, out, layers), _ends(node, h)


def _refuse(node: Node, usual: tuple[str, ...], peepholes: Tensor | None) -> None:
    given = tuple(a.capitalize() for a in node.get("activations", TEXTS, ()))
    if peepholes is not None or given and given[: len(usual)] != usual:
        raise ValueError(f"{node.operator} with peepholes or other activations has no mapping")


def _weights(
    w: Tensor, r: Tensor, b: Tensor | None, order: Sequence[int]
) -> tuple[list[Tensor], int]:
    """The weights as torch takes them, and the number of directions."""
    if w.dim() != 3 or w.shape[0] > 2:
        raise ValueError(f"weights of one direction or two, not of shape {tuple(w.shape)}")
    flat: list[Tensor] = []
    for d in range(w.shape[0]):
        flat += [_gates(w[d], order), _gates(r[d], order)]
        if b is not None:
            flat += [_gates(part, order) for part in torch.chunk(b[d], 2)]
    return flat, w.shape[0]


def _time_first(node: Node, x: Tensor) -> Tensor:
    x = x.transpose(0, 1) if node.get("layout", INT, 0) else x
    require_pieces(x.shape[0])  # each step is traced
    return x


def _state(node: Node, x: Tensor, w: Tensor, r: Tensor, state: Tensor | None) -> Tensor:
    if state is not None:
        return state.transpose(0, 1) if node.get("layout", INT, 0) else state
    batch = x.shape[0 if node.get("layout", INT, 0) else 1]
    return x.new_zeros((w.shape[0], batch, r.shape[-1]))


def _ends(node: Node, state: Tensor) -> Tensor:
    return state.transpose(0, 1) if node.get("layout", INT, 0) else state


def _sequence(node: Node, out: Tensor, directions: int) -> Tensor:
    """(time, batch, directions x hidden) as (time, directions, batch, hidden)."""
    out = torch.unflatten(out, -1, (directions, -1))
    return out if node.get("layout", INT, 0) else out.transpose(1, 2)

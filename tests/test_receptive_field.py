"""Receptive fields, against the gradient: what an output element depends on is what its field
says."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

import costlab
from costlab.graph import fields, layer_graph


def field_of(model, *shape):
    trace = costlab.trace(model.eval(), torch.zeros(shape))
    found = fields(trace)[trace.outputs[0]]
    return found.size if found else None


def dependence(model, *shape):
    """Whether each output element (the last dimension) depends on each position of the input: the
    gradient by differences, all inputs in one batch. Weights are positive, so that nothing cancels
    out."""
    model, places = model.double().eval(), torch.Size(shape[2:]).numel()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.rand_like(p) + 0.1)
        x = torch.rand(shape, dtype=torch.float64)
        one = torch.eye(places, dtype=torch.float64).view(places, 1, *shape[2:])
        channels = torch.linspace(1e-2, 3e-2, shape[1]).view(-1, *[1] * (len(shape) - 2))
        depends = (model(x + one * channels) - model(x)).abs().flatten(1).gt(1e-12)
    return depends.view(*shape[2:], -1)


def by_gradient(model, *shape):
    """The most input rows and columns, first to last, that any output element depends on."""
    depends, most = dependence(model, *shape), []
    for other in (1, 0):
        at = depends.any(other).T
        most.append(max(int(e.nonzero()[-1] - e.nonzero()[0] + 1) for e in at if e.any()))
    return tuple(most)


class Of(nn.Module):
    """A function, and layers that it calls."""

    def __init__(self, fn, *layers):
        super().__init__()
        self.fn, self.layers = fn, nn.ModuleList(layers)

    def forward(self, x):
        return self.fn(x, *self.layers)


def conv(i, o, k=3, **kw):
    return nn.Conv2d(i, o, k, padding="same" if kw.get("stride", 1) == 1 else 0, **kw)


def focus(x, *layers):
    """YOLOv5's: every second pixel, four times, as channels."""
    x = torch.cat([x[..., a::2, b::2] for a in (0, 1) for b in (0, 1)], 1)
    for layer in layers:
        x = layer(x)
    return x


def unfolded(x, linear, layer):
    n, c, h, w = x.shape
    columns = functional.unfold(x, 3, padding=1)
    return layer(linear(columns.transpose(1, 2)).transpose(1, 2).reshape(n, -1, h, w))


def attention(x, qkv):
    n, c, h, w = x.shape
    q, k, v = qkv(x.flatten(2).transpose(1, 2)).chunk(3, -1)
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)


def windows(x, layer):
    """A linear layer over the pixels of each window of 4x4."""
    n, c, h, w = x.shape
    parts = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 1, 2, 4, 3, 5).reshape(n, c, -1, 16)
    parts = layer(parts).view(n, c, h // 4, w // 4, 4, 4).permute(0, 1, 2, 4, 3, 5)
    return parts.reshape(x.shape)


KNOWN = [
    # 2 (two neighbours as channels), then 2 + 2 * 2 = 6, then 6 + 2 * 2 = 10
    ("focus slicing, 3x3, 3x3", Of(focus, conv(8, 4), conv(4, 4)), (10, 10)),
    ("rfft2 and irfft2", Of(lambda x: torch.fft.irfft2(torch.fft.rfft2(x).abs())), (16, 16)),
    ("unfold, matmul, 3x3", Of(unfolded, nn.Linear(18, 4), conv(4, 4)), (5, 5)),
    ("a mean over one axis", Of(lambda x: x.mean(3, keepdim=True) + x), (1, 16)),
    ("strided slice, 3x3", Of(lambda x, c: c(x[:, :, ::3, ::2]), conv(2, 4)), (7, 5)),
    # 5x5 at each pixel; its 16 channels lie on 4x4 finer pixels; 3 of those lie in 2 pixels: 5 + 1
    (
        "pixel shuffle",
        Of(lambda x, a, b: b(functional.pixel_shuffle(a(x), 4)), conv(2, 16, 5), conv(1, 1)),
        (6, 6),
    ),
    (
        "pixel unshuffle, 3x3",
        Of(lambda x, c: c(functional.pixel_unshuffle(x, 2)), conv(8, 4)),
        (6, 6),
    ),
    ("dilation", Of(lambda x, c: c(x), conv(2, 4, 3, dilation=3)), (7, 7)),
    # kernel 4 on stride 2: two inputs an output
    ("transposed", Of(lambda x, c: c(x), nn.ConvTranspose2d(2, 4, 4, 2, 1)), (2, 2)),
    (
        "nearest, 3x3",
        Of(lambda x, c: c(functional.interpolate(x, scale_factor=2)), conv(2, 4)),
        (2, 2),
    ),
    ("bilinear", Of(lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear")), (2, 2)),
    ("attention", Of(attention, nn.Linear(2, 6)), (16, 16)),
    (
        "windows of 4, 3x3",
        Of(lambda x, w, c: c(windows(x, w)), nn.Linear(16, 16), conv(2, 4)),
        (8, 8),
    ),
    ("roll", Of(lambda x, c: c(x + torch.roll(x, 5, 2)), conv(2, 4, 1)), (12, 1)),
    ("flip along the width", Of(lambda x: x + x.flip(3)), (1, 16)),
    ("group norm", nn.GroupNorm(2, 2), (16, 16)),
    ("layer norm of channels", Of(lambda x, n: n(x.permute(0, 2, 3, 1)), nn.LayerNorm(2)), (1, 1)),
    ("adaptive pool of 16 to 5", nn.AdaptiveAvgPool2d(5), (4, 4)),
    (
        "fold of unfold",
        Of(lambda x: functional.fold(functional.unfold(x, 3, padding=1), 16, 3, padding=1)),
        (1, 1),
    ),
    (
        "reflection",
        Of(lambda x, c: c(functional.pad(x, (2,) * 4, "reflect")), nn.Conv2d(2, 4, 5)),
        (5, 5),
    ),
    ("tensor.unfold", Of(lambda x: x.unfold(2, 5, 2).mean(-1)), (5, 1)),
    ("stack and mean", Of(lambda x, c: torch.stack([x, c(x)]).mean(0), conv(2, 2, 5)), (5, 5)),
    (
        "einsum over the height",
        Of(lambda x: torch.einsum("nchw,ncgw->nhgw", x, x)),
        (16, 1),
    ),
    ("cumulative sum", Of(lambda x: x.cumsum(2)), (16, 1)),
]


@pytest.mark.parametrize("model, size", [k[1:] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_the_field_is_the_one_by_gradient(model, size):
    assert by_gradient(model, 1, 2, 16, 16) == size
    assert field_of(model.float(), 1, 2, 16, 16) == size


LENGTH, EDGE = 96, 16


@st.composite
def nets(draw):
    """Layers over a sequence of 96, described by (kind, numbers): each maps 2 channels to 2."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(sorted(PIECES)))
        found.append((kind, draw(st.integers(1, 4)), draw(st.integers(1, 3))))
    return found


def halves(x, k, s):
    """Even and odd positions as channels, summed to two."""
    even, odd = x[..., ::2], x[..., 1::2]
    n = min(even.shape[-1], odd.shape[-1])
    return torch.cat([even[..., :n], odd[..., :n]], 1).unflatten(1, (2, 2)).sum(1)


def shuffled(x, k, s):
    """Two channels as two neighbours."""
    n, c, w = x.shape
    y = x.transpose(1, 2).reshape(n, 1, c * w)
    return torch.cat([y, y], 1)


PIECES = {
    "conv": lambda k, s: nn.Conv1d(2, 2, k, s, k // 2),
    "dilated": lambda k, s: nn.Conv1d(2, 2, k, 1, 0, dilation=s),
    "transposed": lambda k, s: nn.ConvTranspose1d(2, 2, k + s - 1, s),
    "pool": lambda k, s: nn.AvgPool1d(k, s),
    "slice": lambda k, s: Of(lambda x: x[..., k::s]),
    "halves": lambda k, s: Of(lambda x: halves(x, k, s)),
    "shuffle": lambda k, s: Of(lambda x: shuffled(x, k, s)),
    "nearest": lambda k, s: Of(lambda x: functional.interpolate(x, scale_factor=s)),
    "linear": lambda k, s: Of(lambda x: functional.interpolate(x, scale_factor=s, mode="linear")),
    "unfold": lambda k, s: Of(lambda x: x.unfold(2, k, s).mean(-1)),
    "pad": lambda k, s: Of(lambda x: functional.pad(x, (k, s))),
    "repeat": lambda k, s: Of(lambda x: x.repeat_interleave(s, 2)),
    "skip": lambda k, s: Skip(nn.Conv1d(2, 2, 2 * k - 1, padding=k - 1)),
    "norm": lambda k, s: Of(lambda x: x / (1 + x.abs().mean(1, keepdim=True))),
}


class Skip(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return x + self.layer(x)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(nets())
def test_of_random_nets_each_position_sees_what_the_gradient_says(net):
    """In the middle of the sequence, where no padding is near."""
    # the first layer says which dimension of the input is the sequence
    model = nn.Sequential(nn.Conv1d(2, 2, 1), *(PIECES[kind](k, s) for kind, k, s in net))
    try:
        trace = costlab.trace(model, torch.zeros(1, 2, LENGTH))
    except costlab.TraceError:
        assume(False)  # a kernel larger than what is left of the sequence
    ((low, high),) = fields(trace).seen(trace.outputs[0])
    count = trace.tensors[trace.outputs[0]].shape[-1]
    assume(count >= 3)
    low, high = (np.broadcast_to(a, (1, 2, count)) for a in (low, high))
    depends = dependence(model, 1, 2, LENGTH).view(LENGTH, 2, count)
    for channel in range(2):
        for i in range(count // 3, count - count // 3):
            a, b = int(low[0, channel, i]), int(high[0, channel, i])
            if a > b:
                assert not depends[:, channel, i].any()
            elif a >= EDGE and b < LENGTH - EDGE:
                seen = depends[:, channel, i].nonzero()
                assert (int(seen[0]), int(seen[-1])) == (a, b)


@pytest.mark.parametrize(
    "fn, layer",
    [
        (lambda x, c: c(x[:, :, x[0, 0, 0].argsort()]), conv(2, 4)),
        (lambda x, c: functional.grid_sample(x, c(x)[:, :2].permute(0, 2, 3, 1)), conv(2, 4)),
    ],
    ids=["positions by value", "grid_sample"],
)
def test_where_positions_depend_on_values_the_field_is_unknown(fn, layer):
    trace = costlab.trace(Of(fn, layer), torch.rand(1, 2, 8, 8))
    assert fields(trace)[trace.outputs[0]] is None
    assert layer_graph(trace)[-1].field is None

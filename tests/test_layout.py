"""Layouts: what each dimension is after any way of moving it, and the sizes that tables, stages and
diagrams print for it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import costlab
from costlab.analysis.compare import compare, stages
from costlab.analysis.diagram import diagram
from costlab.graph import layouts
from costlab.tables import table

IMAGE = (1, 3, 16, 24)


class Of(nn.Module):
    """A function, and layers that it calls."""

    def __init__(self, fn, *layers):
        super().__init__()
        self.fn, self.layers = fn, nn.ModuleList(layers)

    def forward(self, x):
        return self.fn(x, *self.layers)


def patches(x, conv, *layers):
    """Tokens of an image, as in ViT."""
    x = conv(x).flatten(2).transpose(1, 2)
    for layer in layers:
        x = layer(x)
    return x


def with_class_token(x, conv, layer):
    x = patches(x, conv)
    return layer(torch.cat([x.new_zeros(x.shape[0], 1, x.shape[2]), x], 1))


def back_to_the_grid(x, conv, layer, after):
    n, (h, w) = x.shape[0], (x.shape[2] // 4, x.shape[3] // 4)
    x = with_class_token(x, conv, layer)[:, 1:]
    return after(x.transpose(1, 2).reshape(n, -1, h, w))


def windows(x, conv, linear):
    """Swin's: windows of 2x2 on NHWC, a linear layer, and back."""
    x = conv(x).permute(0, 2, 3, 1)
    n, h, w, c = x.shape
    x = x.view(n, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
    x = linear(x).view(n, h // 2, w // 2, 2, 2, -1).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h, w, -1)


def merging(x, linear):
    """Swin's patch merging: 2x2 neighbours become channels."""
    n, c, h, w = x.shape
    x = x.permute(0, 2, 3, 1).reshape(n, h // 2, 2, w // 2, 2, c)
    return linear(x.permute(0, 1, 3, 4, 2, 5).flatten(3))


def expanding(x, linear):
    """The way back: channels become 2x2 neighbours."""
    n, c, h, w = x.shape
    x = linear(x.permute(0, 2, 3, 1)).view(n, h, w, 2, 2, -1)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, -1)


def mixing(x, conv, tokens):
    """MLP-Mixer: a linear layer over the tokens."""
    return tokens(patches(x, conv).transpose(1, 2)).transpose(1, 2)


def recurrent(x, lstm):
    """Sequencer: an LSTM over the rows."""
    n, c, h, w = x.shape
    y = x.permute(0, 2, 3, 1)
    return lstm(y.reshape(n * h, w, c))[0].reshape(n, h, w, -1) + y[..., :1]


def attend(x, conv, qkv):
    x = qkv(patches(x, conv))
    n, t, c = x.shape
    q, k, v = x.view(n, t, 3, 2, c // 6).permute(2, 0, 3, 1, 4)
    return (q @ k.transpose(-2, -1)).softmax(-1) @ v


CONV = lambda o=8, k=4: nn.Conv2d(3, o, k, k)  # noqa: E731
B, C, H, W, T = "batch", "channel", "height", "width", "tokens"
CASES = [
    ("channels first", Of(lambda x, c: c(x), CONV()), (B, C, H, W), "4x6x8", (4, 6)),
    (
        "channels last",
        Of(lambda x, c: c(x).permute(0, 2, 3, 1), CONV()),
        (B, H, W, C),
        "4x6x8",
        (4, 6),
    ),
    (
        "a linear layer on them",
        Of(lambda x, f: f(x.movedim(1, 3)), nn.Linear(3, 5)),
        (B, H, W, C),
        "16x24x5",
        (16, 24),
    ),
    ("tokens", Of(patches, CONV(), nn.Linear(8, 5)), (B, T, C), "24x5", (4, 6)),
    ("a class token", Of(with_class_token, CONV(), nn.Linear(8, 5)), (B, T, C), "25x5", (25,)),
    (
        "a grid again",
        Of(back_to_the_grid, CONV(), nn.Linear(8, 5), nn.Conv2d(5, 7, 1)),
        (B, C, H, W),
        "4x6x7",
        (4, 6),
    ),
    ("windows and back", Of(windows, CONV(), nn.Linear(8, 5)), (B, H, W, C), "4x6x5", (4, 6)),
    ("patch merging", Of(merging, nn.Linear(12, 5)), (B, H, W, C), "8x12x5", (8, 12)),
    ("patch expanding", Of(expanding, nn.Linear(3, 20)), (B, H, W, C), "32x48x5", (32, 48)),
    ("token mixing", Of(mixing, CONV(), nn.Linear(24, 24)), (B, T, C), "24x8", (24,)),
    (
        "an LSTM over rows",
        Of(recurrent, nn.LSTM(3, 4, batch_first=True)),
        (B, H, W, C),
        "16x24x4",
        (16, 24),
    ),
    ("attention", Of(attend, CONV(12), nn.Linear(12, 36)), (B, C, T, C), "2x24x6", (4, 6)),
    ("global pool", Of(lambda x, c: c(x).mean((2, 3)), CONV()), (B, C), "1x1x8", ()),
    ("flattened", Of(lambda x, f: f(x.flatten(1)), nn.Linear(1152, 9)), (B, C), "1x1x9", ()),
    (
        "pixel shuffle",
        Of(lambda x, c: functional.pixel_shuffle(c(x), 2), CONV(8)),
        (B, C, H, W),
        "8x12x2",
        (8, 12),
    ),
    (
        "upsampled",
        Of(lambda x: functional.interpolate(x, scale_factor=2)),
        (B, C, H, W),
        "32x48x3",
        (32, 48),
    ),
    (
        "rolled and padded",
        Of(lambda x: functional.pad(x.roll(1, 2), (1, 1, 2, 2))),
        (B, C, H, W),
        "20x26x3",
        (20, 26),
    ),
    ("unfolded", Of(lambda x: functional.unfold(x, 4, stride=4)), (B, C, T), "24x48", (4, 6)),
    (
        "positions by value",
        Of(lambda x: x[x > 0].view(-1, 1)[:5]),
        ("unknown", "unknown"),
        "5x1",
        (),
    ),
]


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    "model, roles, size, grid", [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_roles_size_and_grid(model, roles, size, grid, batch):
    trace = costlab.trace(model.eval(), torch.rand(batch, *IMAGE[1:]))
    found = layouts(trace)[trace.outputs[0]]
    assert (found.roles, found.size, found.grid) == (roles, size, grid)


EINSUM = Of(lambda x: torch.einsum("nchw,ncgw->nhgw", x, x))


@pytest.mark.parametrize(
    "model, shape, roles",
    [
        (EINSUM, (2, 3, 4, 6), (B, H, H, W)),
        (nn.Conv1d(2, 4, 3), (2, 2, 9), (B, C, "time")),
        (nn.Conv3d(2, 4, 1), (2, 2, 4, 5, 6), (B, C, "depth", H, W)),
        (nn.Linear(9, 4), (2, 3, 9), (B, T, C)),
        (nn.Linear(9, 4), (2, 9), (B, C)),
        (nn.Sequential(nn.Conv1d(2, 4, 1), nn.BatchNorm1d(4)), (2, 2, 9), (B, C, "time")),
        # channels last from the start: the convolution says so
        (Of(lambda x, c: c(x.permute(0, 3, 1, 2)), nn.Conv2d(3, 4, 1)), (2, 8, 8, 3), (B, C, H, W)),
    ],
)
def test_the_input_is_what_operations_take_it_for(model, shape, roles):
    trace = costlab.trace(model.eval(), torch.rand(shape))
    assert layouts(trace)[trace.outputs[0]].roles == roles


def test_token_ids_become_tokens_of_channels():
    trace = costlab.trace(nn.Embedding(7, 5), torch.zeros(2, 3, dtype=torch.int64))
    assert layouts(trace)[trace.outputs[0]].roles == (B, T, C)


@pytest.mark.parametrize("style", ["layers", "resnet", "paper"])
def test_every_table_and_diagram_prints_the_tensor_s_size(style):
    trace = costlab.trace(Of(windows, CONV(), nn.Linear(8, 5)), torch.rand(IMAGE))
    assert [r.cells["output size"] for r in table(trace, style).rows][0] == "4x6x8"
    boxes = diagram(trace, module="").boxes
    assert [(b.text, b.size) for b in boxes] == [
        ("input", "16x24x3"),
        ("4x4 conv, 8, /4", "4x6x8"),
        ("linear, 5", "6x4x5"),
        ("output", "4x6x5"),
    ]


def net(last):
    """A convolution on stride 4, layers on NCHW or NHWC, pooling, a head."""
    if last:
        body = Of(lambda x, f: f(x.permute(0, 2, 3, 1)), nn.Linear(8, 16, bias=False))
        pool = Of(lambda x: x.mean((1, 2)))
    else:
        body, pool = (
            nn.Conv2d(8, 16, 1, bias=False),
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
    return nn.Sequential(CONV(), body, pool, nn.Linear(16, 10))


def test_stages_do_not_depend_on_the_order_of_dimensions():
    """Body: 24 positions of 8 x 16; head: 160."""
    first, last = (costlab.trace(net(last), torch.rand(IMAGE)) for last in (False, True))
    for trace in (first, last):
        found = [(s.stride, s.grids, s.macs) for s in stages(trace)]
        assert found == [(4, ((4, 6),), 24 * 48 * 8 + 24 * 8 * 16), (0, (), 160)]
    rows = [r["what"] for r in compare([first, last]).sheet.rows]
    assert "stride 4 (4x6 | 4x6): MACs" in rows


def test_squeeze_and_excitation_is_of_its_stage_and_not_of_the_head():
    def excite(x, conv, down, up):
        x = conv(x)
        return x * up(down(x.mean((2, 3), keepdim=True)).relu()).sigmoid()

    model = nn.Sequential(
        Of(excite, CONV(), nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    found = stages(costlab.trace(model, torch.rand(IMAGE)))
    assert [(s.stride, s.macs) for s in found] == [(4, 24 * 48 * 8 + 2 * 16), (0, 80)]

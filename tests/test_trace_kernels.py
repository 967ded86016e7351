"""Which kernel each operation of a trace runs, and what its work is."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by

from costlab.predict.kernels import (
    Attention,
    Concatenation,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Elementwise,
    Interpolation,
    Lookup,
    Normalization,
    Pooling,
    Product,
    Recurrent,
    Reduction,
    Softmax,
    TransposedConvolution,
    VolumeConvolution,
    kernels_of,
)
from costlab.trace.tracer import trace


class Does(nn.Module):
    """A module that calls a function."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, *args):
        return self.fn(*args)


def kernels(model, *shapes, layout="contiguous"):
    """The kernels of a model that run something."""
    inputs = tuple(torch.zeros(shape) for shape in shapes)
    found = kernels_of(trace(model.eval(), inputs, device="meta"), layout)
    return [op.kernel for op in found if op.kernel]


CASES = {
    "convolution": (
        nn.Conv2d(3, 64, 7, 2, 3),
        [(2, 3, 32, 32)],
        [Convolution(2, 3, 64, 32, 32, 7, 7, 2, 2, 3, 3, 1, 1, True)],
    ),
    "grouped, one side dilated, no bias": (
        nn.Conv2d(8, 16, (1, 3), padding=(0, 2), dilation=(1, 2), groups=2, bias=False),
        [(1, 8, 9, 9)],
        [Convolution(1, 8, 16, 9, 9, 1, 3, 1, 1, 0, 2, 2, 2, False)],
    ),
    "depthwise": (
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        [(1, 8, 5, 5)],
        [DepthwiseConvolution(1, 8, 8, 5, 5, 3, 3, 1, 1, 1, 1, 1, 8, True)],
    ),
    "transposed, as decoders have it": (
        nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1, bias=False),
        [(2, 8, 5, 5)],
        [TransposedConvolution(2, 8, 4, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1)],
    ),
    "transposed in groups, 1-d": (
        nn.ConvTranspose1d(8, 4, 4, 2, 1, groups=2),
        [(1, 8, 5)],
        [TransposedConvolution(1, 8, 4, 1, 5, 1, 4, 1, 2, 0, 1, groups=2, bias=True)],
    ),
    "3-d": (
        nn.Conv3d(3, 8, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False),
        [(1, 3, 4, 8, 8)],
        [VolumeConvolution(1, 3, 8, 4, 8, 8, 1, 3, 3, 1, 2, 2, 0, 1, 1)],
    ),
    "to the nearest": (
        nn.Upsample(scale_factor=2),
        [(1, 4, 3, 5)],
        [Interpolation("nearest", 1, 4, 3, 5, 6, 10)],
    ),
    "bilinear": (
        nn.Upsample((7, 9), mode="bilinear"),
        [(1, 4, 3, 5)],
        [Interpolation("linear", 1, 4, 3, 5, 7, 9)],
    ),
    "two recurrent layers in both directions": (
        nn.LSTM(5, 6, 2, bidirectional=True),
        [(7, 2, 5)],
        [Recurrent("LSTM", 7, 2, 5, 6, 2, True)],
    ),
    "a GRU, the batch first": (
        nn.GRU(5, 6, bias=False, batch_first=True),
        [(2, 7, 5)],
        [Recurrent("GRU", 7, 2, 5, 6, bias=False)],
    ),
    "1-d, as one row": (
        nn.Conv1d(4, 6, 3, 2, 1),
        [(2, 4, 10)],
        [Convolution(2, 4, 6, 1, 10, 1, 3, 1, 2, 0, 1, 1, 1, True)],
    ),
    "linear of tokens": (
        nn.Linear(16, 32),
        [(2, 5, 16)],
        [Product(1, 10, 32, 16, weighted=True, bias=True)],
    ),
    "linear without bias": (nn.Linear(16, 32, bias=False), [(5, 16)], [Product(1, 5, 32, 16)]),
    "a product of two results": (
        Does(torch.bmm),
        [(2, 3, 4), (2, 4, 5)],
        [Product(2, 3, 5, 4, weighted=False)],
    ),
    "batch norm": (nn.BatchNorm2d(8), [(2, 8, 5, 5)], [Normalization("batch", 2, 8, 25)]),
    "layer norm": (nn.LayerNorm(8), [(2, 5, 8)], [Normalization("layer", 10, 8, 1)]),
    "group norm": (nn.GroupNorm(4, 8), [(2, 8, 5, 5)], [Normalization("group", 2, 8, 25, 4)]),
    "max pool": (
        nn.MaxPool2d(3, 2, 1),
        [(1, 4, 8, 8)],
        [Pooling("max", 1, 4, 8, 8, 3, 3, 2, 2, 1, 1)],
    ),
    "average pool": (
        nn.AvgPool2d(2),
        [(1, 4, 8, 8)],
        [Pooling("average", 1, 4, 8, 8, 2, 2, 2, 2)],
    ),
    "global average": (nn.AdaptiveAvgPool2d(1), [(2, 4, 8, 8)], [Reduction(8, 64, 1)]),
    "relu": (nn.ReLU(), [(2, 4)], [Elementwise("relu", 8)]),
    "in place": (nn.ReLU(inplace=True), [(2, 4)], [Elementwise("relu", 8, in_place=True)]),
    "a sum": (Does(torch.add), [(2, 4), (2, 4)], [Elementwise("add", 8, 8)]),
    "a sum with a row": (Does(torch.add), [(2, 4), (4,)], [Elementwise("add", 8, 4)]),
    "a sum with a number": (Does(lambda x: x + 1), [(2, 4)], [Elementwise("add", 8)]),
    "softmax": (nn.Softmax(-1), [(2, 3, 4)], [Softmax(6, 4)]),
    "channels joined": (
        Does(lambda a, b: torch.cat([a, b], 1)),
        [(2, 3, 4, 4), (2, 5, 4, 4)],
        [Concatenation(2, 2, 128)],
    ),
    "a transposed copy": (
        Does(lambda x: x.transpose(1, 2).contiguous()),
        [(2, 3, 4)],
        [Copy(24, strided=True)],
    ),
    "views run nothing": (Does(lambda x: x.view(6, 4).t()[1:]), [(2, 3, 4)], []),
    "dropout runs nothing": (nn.Dropout(), [(2, 4)], []),
}


@pytest.mark.parametrize("case", CASES)
def test_kernels_of_an_operation(case):
    model, shapes, expected = CASES[case]
    assert kernels(model, *shapes) == expected


def test_channels_last_changes_what_lies_side_by_side():
    """A global average is over 64 rows of 4 channels; joined channels lie together at each
    position; a permutation to NHWC has nothing to move, so that layer norm reads in order."""
    assert kernels(nn.AdaptiveAvgPool2d(1), (2, 4, 8, 8), layout="channels-last") == [
        Reduction(2, 64, 4)
    ]
    join = Does(lambda a, b: torch.cat([a, b], 1))
    assert kernels(join, (2, 3, 4, 4), (2, 5, 4, 4), layout="channels-last") == [
        Concatenation(2, 32, 8)
    ]
    norm = Does(lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (3,)))
    assert kernels(norm, (1, 3, 4, 4)) == [Normalization("layer", 16, 3, 1, strided=True)]
    assert kernels(norm, (1, 3, 4, 4), layout="channels-last") == [Normalization("layer", 16, 3, 1)]


def test_attention_is_one_kernel():
    """The plain form has both sides scaled, two products and a softmax; a mask is part of it."""

    def attend(q, k, v):
        return F.scaled_dot_product_attention(q, k, v)

    shape = (2, 3, 7, 8)
    assert kernels(Does(attend), shape, shape, shape) == [Attention(2, 3, 7, 7, 8)]

    def masked(q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v, mask)

    found = kernels(Does(masked), shape, shape, shape, (7, 7))
    assert found == [Attention(2, 3, 7, 7, 8, masked=True)]


def test_rows_of_a_table_are_looked_up():
    found = kernels_of(trace(nn.Embedding(100, 8), (torch.zeros(2, 3, dtype=torch.long),)))
    assert [op.kernel for op in found if op.kernel] == [Lookup(6, 8, 100)]


def test_a_product_of_no_family_multiplies_as_much():
    """(5 - 1) * 2 + 2 = 10 a side, 1000 outputs of 4 channels; each of the 8 * 125 inputs meets 4
    channels of 8 taps: 32,000 multiply-adds, 8 for each output."""
    model = nn.ConvTranspose3d(8, 4, 2, 2, bias=False)
    [found] = kernels_of(trace(model, (torch.zeros(1, 8, 5, 5, 5),), device="meta"))
    assert (found.kernel, found.known) == (Product(1, 1000, 4, 8), False)


def test_an_operation_of_no_family_is_a_copy_that_is_not_known():
    model = Does(lambda x: torch.cumsum(x, 0))
    [found] = kernels_of(trace(model, (torch.zeros(3, 4),), device="meta"))
    assert (found.kernel, found.known) == (Copy(12), False)


def test_there_is_one_kernel_for_each_operation():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2))
    traced = trace(model, (torch.zeros(1, 3, 8, 8),), device="meta")
    assert len(kernels_of(traced)) == len(traced.forward)


# kernel, FLOPs, elements read, elements written
WORK = [
    # 2 x 64 x 16 x 16 outputs of 3 x 7 x 7 multiply-adds
    (
        Convolution(2, 3, 64, 32, 32, 7, 7, 2, 2, 3, 3, 1, 1, True),
        2 * 2 * 64 * 256 * 147,
        2 * 3 * 1024 + 64 * 147 + 64,
        2 * 64 * 256,
    ),
    # 9 x 9 outputs of 16 channels, each of 4 channels and 3 taps; 1 x 3 reaches 5 columns
    (
        Convolution(1, 8, 16, 9, 9, 1, 3, 1, 1, 0, 2, 2, 2),
        2 * 81 * 16 * 12,
        8 * 81 + 16 * 12,
        16 * 81,
    ),
    (Product(2, 3, 5, 4, False), 2 * 2 * 60, 2 * 8 * 4, 30),
    (Product(1, 3, 5, 4, True, True), 120, 8 * 4 + 5, 15),
    (Attention(2, 3, 7, 9, 8), 4 * 6 * 63 * 8, 6 * (7 + 18) * 8, 6 * 7 * 8),
    (Pooling("max", 1, 4, 8, 8, 3, 3, 2, 2, 1, 1), 4 * 16 * 9, 256, 64),
    # an average over 5 of 12 padded channels leaves 8
    (Pooling("across", 1, 12, 3, 3, 5, 1, 1, 1), 72 * 5, 108, 72),
    (Reduction(2, 64, 4), 512, 512, 8),
    (Elementwise("add", 8, 4), 8, 12, 8),
    (Concatenation(2, 32, 8), 0, 256, 256),
    # each of 2 x 8 x 5 x 5 elements is multiplied with 4 channels of 4 x 4 taps; (5 - 1) * 2 - 2
    # + 4 are 10 rows
    (
        TransposedConvolution(2, 8, 4, 5, 5, 4, 4, 2, 2, 1, 1),
        2 * 2 * 8 * 25 * 4 * 16,
        2 * 8 * 25 + 8 * 4 * 16,
        2 * 4 * 100,
    ),
    # 4 x 3 x 3 outputs of 16 channels, each of 4 channels of a group and 27 taps
    (
        VolumeConvolution(1, 8, 16, 4, 6, 6, 3, 3, 3, 1, 2, 2, 1, 1, 1, 1, 2, True),
        2 * 36 * 16 * 4 * 27,
        8 * 4 * 36 + 16 * 4 * 27 + 16,
        16 * 36,
    ),
    # four neighbours of each of 2 x 3 x 8 x 8 outputs
    (Interpolation("linear", 2, 3, 4, 4, 8, 8), 8 * 384, 96, 384),
    # 4 gates of 6 units: (5 + 6) inputs and 2 biases below, (2 * 6 + 6) and 2 above; both ways
    (
        Recurrent("LSTM", 7, 2, 5, 6, 2, True),
        2 * 7 * 2 * (2 * 24 * (13 + 20)),
        7 * 2 * 5 + 2 * 24 * 33,
        7 * 2 * 12,
    ),
    (Lookup(3, 4, 100), 0, 12, 12),
]


@pytest.mark.parametrize(("kernel", "flops", "read", "written"), WORK, ids=lambda v: str(v)[:40])
def test_work(kernel, flops, read, written):
    assert (kernel.flops, kernel.read, kernel.written) == (flops, read, written)

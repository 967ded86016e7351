"""Every shape rule against torch's own meta kernel: shape, stride, dtype; and values that control
flow reads on meta."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import costlab
from costlab.trace import shapes


def m(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


A = torch.ops.aten
CASES = [
    *(
        (
            A.convolution.default,
            (m(2, 6, i, 9), m(8, 6 // g, k, 2), b, [s], [p], [d], False, [0], g),
        )
        for i in (9, 12)
        for k, s, p, d, g in (
            (3, 1, 0, 1, 1),
            (3, 2, 1, 1, 2),
            (2, 3, 1, 2, 6 // 3),
            (1, 1, 0, 1, 1),
        )
        for b in (None, m(8))
    ),
    (
        A.convolution.default,
        (m(1, 4, 8, 8), m(4, 4, 3, 3), None, [1, 2], [0, 1], [1, 1], False, [0, 0], 1),
    ),
    *(
        (op, (m(2, 3, 4),))
        for op in (
            A.relu.default,
            A.gelu.default,
            A.silu.default,
            A.sigmoid.default,
            A.tanh.default,
            A.hardtanh.default,
            A.hardswish.default,
            A.hardsigmoid.default,
            A.leaky_relu.default,
            A.elu.default,
            A.exp.default,
            A.rsqrt.default,
            A.neg.default,
            A.cos.default,
            A.sin.default,
            A.sqrt.default,
            A.abs.default,
            A.relu_.default,
            A.hardtanh_.default,
            A.silu_.default,
        )
    ),
    (A._softmax.default, (m(2, 3), 1, False)),
    (A.pow.Tensor_Scalar, (m(2, 3), 2)),
    *(
        (op, (m(2, 3), m(2, 3)))
        for op in (
            A.add.Tensor,
            A.mul.Tensor,
            A.sub.Tensor,
            A.div.Tensor,
            A.add_.Tensor,
            A.mul_.Tensor,
        )
    ),
    (A.add.Tensor, (m(2, 3, dtype=torch.float16), 2.0)),
    (A.mul.Tensor, (m(2, 3), m(3))),
    (A.add.Tensor, (m(2, 3), m(2, 3, dtype=torch.float64))),
    (A.mm.default, (m(2, 3), m(3, 4))),
    (A.addmm.default, (m(4), m(2, 3), m(3, 4))),
    (A.bmm.default, (m(5, 2, 3), m(5, 3, 4))),
    (A.cat.default, ([m(1, 2, 3), m(1, 5, 3)], 1)),
    (A.cat.default, ([m(1, 2), m(1, 2)], -1)),
    (A.mean.dim, (m(2, 3, 4, 5), [2, 3])),
    (A.mean.dim, (m(2, 3, 4, 5), [-1, -2], True)),
    (A.native_batch_norm.default, (m(2, 3, 4, 4), m(3), m(3), m(3), m(3), False, 0.1, 1e-5)),
    (A.native_layer_norm.default, (m(2, 3, 4), [4], m(4), m(4), 1e-5)),
    (A.native_layer_norm.default, (m(2, 3, 4), [3, 4], None, None, 1e-5)),
    *(
        (A.max_pool2d_with_indices.default, (m(1, 2, i, i), [3], [s], [p], [d], c))
        for i in (7, 8, 14)
        for s in (1, 2, 3)
        for p in (0, 1)
        for d in (1, 2)
        for c in (False, True)
    ),
    *(
        (A.avg_pool2d.default, (m(1, 2, i, i), [k], s, [0], c))
        for i in (7, 8)
        for k in (2, 3)
        for s in ([], [2])
        for c in (False, True)
    ),
    (A.avg_pool3d.default, (m(1, 1, 9, 5, 5), [5, 1, 1], [1])),
    (
        A._grouped_mm.default,
        (
            m(16, 16, dtype=torch.bfloat16),
            m(2, 16, 8, dtype=torch.bfloat16),
            m(2, dtype=torch.int32),
        ),
    ),
    (A.embedding.default, (m(10, 4), m(2, 3, dtype=torch.int64))),
]


@pytest.mark.parametrize("func, args", CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)])
def test_a_rule_gives_what_torch_gives(func, args):
    def seen(out):
        return [
            (tuple(t.shape), t.stride(), t.dtype)
            for t in (out if isinstance(out, tuple) else (out,))
        ]

    got = shapes.find(func)(*args)
    if (
        func is A.native_batch_norm.default
    ):  # torch's meta kernel makes statistics that its CPU and CUDA kernels do not
        want = func(*(torch.zeros(a.shape) if isinstance(a, torch.Tensor) else a for a in args))
    else:
        want = func(*args)
    if got is not None:
        assert seen(got) == seen(want)
    else:  # left to torch on purpose
        assert func is A.mul.Tensor and args[1].dim() == 1 or args[0].dtype != args[1].dtype


def test_a_wrong_shape_is_left_to_torch_to_refuse():
    with pytest.raises(costlab.TraceError, match="aten.convolution on 1x5x8x8, 4x3x3x3"):
        costlab.trace(nn.Conv2d(3, 4, 3), m(1, 5, 8, 8), device="meta")
    with pytest.raises(costlab.TraceError, match="aten.addmm on 4, 2x5, 3x4"):
        costlab.trace(nn.Linear(3, 4), m(2, 5), device="meta")


class Reads(nn.Module):
    """As the masks of transformers: positions worked out, compared, and read by Python."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4, bias=False)

    def forward(self, ids):
        positions = torch.arange(ids.shape[1], device=ids.device)
        packed = (torch.diff(positions, prepend=positions[:1] - 1) != 1).cumsum(0)
        x = functional.one_hot(ids, 4).float() if False else self.fc.weight[ids]
        for _ in range(int(positions[-1].item())):
            x = self.fc(x)
        return x if (packed == 0).all() else self.fc(x)


def test_control_flow_on_integers_works_on_meta():
    ids = torch.zeros(1, 3, dtype=torch.long)
    counts = [costlab.total(costlab.trace(Reads(), ids, device=d)).macs for d in ("meta", "cpu")]
    assert counts == [2 * 3 * 16] * 2


def test_a_value_that_is_not_known_is_refused_with_the_way_out():
    with pytest.raises(costlab.TraceError, match="device cpu"):
        costlab.trace(
            type("M", (nn.Module,), {"forward": lambda s, x: x * x.sum().item()})(),
            m(3),
            device="meta",
        )


def _tokens(batch, channels, size):
    """An image made of tokens: channels-last but for the step of the batch."""
    tokens = torch.randn(batch, size * size, channels)
    return tokens.permute(0, 2, 1).reshape(batch, channels, size, size)


@pytest.mark.parametrize(
    "x",
    [
        _tokens(1, 32, 16),
        _tokens(2, 32, 16),
        torch.randn(1, 16, 16, 32).permute(0, 3, 1, 2),
        torch.randn(1, 1, 16 * 16, 32).transpose(2, 3).view(1, 32, 16, 16),
        torch.randn(16 * 16, 1, 32).permute(1, 2, 0).view(1, 32, 16, 16),  # a step of 32 a sample
        torch.randn(2, 32, 16, 16),
        torch.randn(2, 32, 16, 16).to(memory_format=torch.channels_last),
    ],
    ids=lambda x: str(x.stride()),
)
@pytest.mark.parametrize("kernel", [1, 3, 8])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_gives_the_layout_of_the_cpu(x, kernel, memory_format):
    weight = torch.randn(8, 32, kernel, kernel).to(memory_format=memory_format)
    arguments = None, [kernel], [0], [1], False, [0], 1
    on_cpu = A.convolution.default(x, weight, *arguments)
    on_meta = [torch.empty_strided(t.shape, t.stride(), device="meta") for t in (x, weight)]
    ours = shapes.find(A.convolution.default)(*on_meta, *arguments)
    assert ours.stride() == on_cpu.stride()


class Chosen(nn.Module):
    """Rows that a mask chooses, by what the input's integers say."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x, ids):
        mask = (ids == 7).unsqueeze(-1).expand(*ids.shape, 40_000)[..., 0]
        return self.fc(x[mask]), self.fc(x[:, mask[0]])


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_mask_of_known_values_chooses_as_many_rows_as_it_says(device):
    """Two of five tokens are 7; 2 x 4 x 3 products, twice."""
    inputs = torch.zeros(1, 5, 4), torch.tensor([[7, 0, 7, 1, 2]])
    trace = costlab.trace(Chosen(), inputs, device=device)
    assert [trace.tensors[i].shape for i in trace.outputs] == [(2, 3), (1, 2, 3)]
    assert costlab.total(trace).macs == 2 * 2 * 4 * 3

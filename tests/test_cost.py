"""Every count against its closed form, with the derivation in the case."""

import copy
import gc
import pickle
import weakref
from collections import Counter
from dataclasses import fields

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import nn

import costlab
from costlab.cost.registry import REGISTRY


class Fn(nn.Module):
    def __init__(self, fn, **params):
        super().__init__()
        self.fn = fn
        for k, v in params.items():
            setattr(self, k, nn.Parameter(v))

    def forward(self, *x, **kw):
        return self.fn(self, *x, **kw)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        return {"y": self.fc(self.fc(x))}


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.out = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, ids):
        return self.out(self.emb(ids))


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a @ b

    @staticmethod
    def backward(ctx, g):
        return g, g


z = torch.zeros
CASES = {
    # name: (model, inputs, MACs, params) - derivation
    "conv2d 3->8 k3 on 6x6 valid: 4*4*8 * 3*9; 3*8*9+8": (
        nn.Conv2d(3, 8, 3),
        (z(1, 3, 6, 6),),
        16 * 8 * 27,
        224,
    ),
    "conv1d 2->4 k3 on 10: 8*4 * 6; 24+4": (nn.Conv1d(2, 4, 3), (z(1, 2, 10),), 192, 28),
    "conv3d 2->4 k2 on 3^3: 8*4 * 16; 64+4": (nn.Conv3d(2, 4, 2), (z(1, 2, 3, 3, 3),), 512, 68),
    "transposed 3->2 k3 s2 on 4x4: inputs 48 * 2*9": (
        nn.ConvTranspose2d(3, 2, 3, 2),
        (z(1, 3, 4, 4),),
        864,
        56,
    ),
    "grouped 4->8 k3 g2 pad1 5x5: 25*8 * 2*9": (
        nn.Conv2d(4, 8, 3, padding=1, groups=2, bias=False),
        (z(1, 4, 5, 5),),
        3600,
        144,
    ),
    "depthwise 4 k3 pad1 5x5: 25*4 * 9": (
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        (z(1, 4, 5, 5),),
        900,
        36,
    ),
    "dilated k3 d2 on 7x7: 3*3*1 * 9": (
        nn.Conv2d(1, 1, 3, dilation=2, bias=False),
        (z(1, 1, 7, 7),),
        81,
        9,
    ),
    "linear 4->5, batch 3: 3*4*5; 20+5": (nn.Linear(4, 5), (z(3, 4),), 60, 25),
    "linear on (2,3,4): 6*4*5": (nn.Linear(4, 5), (z(2, 3, 4),), 120, 25),
    "a @ b (2,3)(3,4)": (Fn(lambda m, a, b: a @ b), (z(2, 3), z(3, 4)), 24, 0),
    "bmm 5x(2,3)(3,4)": (Fn(lambda m, a, b: torch.bmm(a, b)), (z(5, 2, 3), z(5, 3, 4)), 120, 0),
    "addmm": (Fn(lambda m, c, a, b: torch.addmm(c, a, b)), (z(2, 4), z(2, 3), z(3, 4)), 24, 0),
    "baddbmm": (
        Fn(lambda m, c, a, b: torch.baddbmm(c, a, b)),
        (z(5, 2, 4), z(5, 2, 3), z(5, 3, 4)),
        120,
        0,
    ),
    "einsum bij,bjk": (
        Fn(lambda m, a, b: torch.einsum("bij,bjk->bik", a, b)),
        (z(5, 2, 3), z(5, 3, 4)),
        120,
        0,
    ),
    "F.conv2d on a bare Parameter": (
        Fn(lambda m, x: F.conv2d(x, m.w), w=z(8, 3, 1, 1)),
        (z(1, 3, 4, 4),),
        16 * 24,
        24,
    ),
    "sdpa b1 h2 s4 n6 d8: 2*4*6*(8+8)": (
        Fn(lambda m, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        (z(1, 2, 4, 8), z(1, 2, 6, 8), z(1, 2, 6, 8)),
        768,
        0,
    ),
    "gqa 4 query heads on 2: 4*3*3*(8+8)": (
        Fn(lambda m, q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True)),
        (z(1, 4, 3, 8), z(1, 2, 3, 8), z(1, 2, 3, 8)),
        576,
        0,
    ),
    "mha E8 h2 L5: in 5*8*24, qk+av 2*5*5*8, out 5*64; 192+24+64+8": (
        Fn(lambda m, x: m.a(x, x, x)[0]),
        (z(1, 5, 8),),
        960 + 400 + 320,
        288,
    ),
    "lstm 3->4, T5: 5*16*(3+4)": (nn.LSTM(3, 4), (z(5, 1, 3),), 560, 16 * 7 + 32),
    "gru 3->4, T5: 5*12*(3+4)": (nn.GRU(3, 4), (z(5, 1, 3),), 420, 12 * 7 + 24),
    "rnn 3->4, T5: 5*4*(3+4)": (nn.RNN(3, 4), (z(5, 1, 3),), 140, 4 * 7 + 8),
    "shared module called twice: 2*(2*16), params once": (Twice(), (z(2, 4),), 64, 16),
    "tied weights: 3*4*10, params once": (Tied(), (z(3, dtype=torch.long),), 120, 40),
    "bfloat16 linear": (nn.Linear(4, 5).bfloat16(), (z(3, 4, dtype=torch.bfloat16),), 60, 25),
    "custom autograd.Function": (Fn(lambda m, a, b: Double.apply(a, b)), (z(2, 3), z(3, 4)), 24, 0),
    "empty batch": (nn.Linear(4, 5), (z(0, 4),), 0, 25),
    "a @ b broadcast (2,1,3,4)(5,4,6): 2*5*3*4*6": (
        Fn(lambda m, a, b: a @ b),
        (z(2, 1, 3, 4), z(5, 4, 6)),
        720,
        0,
    ),
    "mv (3,4)(4)": (Fn(lambda m, a, b: a @ b), (z(3, 4), z(4)), 12, 0),
    "addr (3)(4)": (Fn(lambda m, c, a, b: torch.addr(c, a, b)), (z(3, 4), z(3), z(4)), 12, 0),
    "bilinear 3x4->5, batch 2: 2*(5*3*4 + 5*3); 60+5": (
        nn.Bilinear(3, 4, 5),
        (z(2, 3), z(2, 4)),
        150,
        65,
    ),
    "conv_tbc T5 k3 3->4: 3*4 outputs * 9": (
        Fn(lambda m, x, w, b: torch.conv_tbc(x, w, b)),
        (z(5, 1, 3), z(3, 3, 4), z(4)),
        108,
        0,
    ),
    "two experts, 16 rows of 16 by 16x8: 16*16*8": (
        Fn(lambda m, a, b, o: torch._grouped_mm(a, b, offs=o)),
        (
            z(16, 16, dtype=torch.bfloat16),
            z(2, 16, 8, dtype=torch.bfloat16),
            torch.tensor([8, 16], dtype=torch.int32),
        ),
        2048,
        0,
    ),
    "lstm cell 3->4, batch 2: 2*16*(3+4)": (nn.LSTMCell(3, 4), (z(2, 3),), 224, 16 * 7 + 32),
    "encoder layer E8 ff16 L3 (fast path off): 3*(24*8 + 64 + 2*128) + 2*9*8": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        (z(1, 3, 8),),
        3 * (192 + 64 + 256) + 144,
        24 * 9 + 72 + 16 * 9 + 8 * 17 + 32,
    ),
    "cond takes one branch: 4*4*4": (
        Fn(lambda m, p, x: torch.cond(p, lambda v: v @ v.T, lambda v: v.clone(), (x,))),
        (torch.tensor(True), z(4, 4)),
        64,
        0,
    ),
    "affine grid 4x5: 20 points, 2 rows of 3": (
        Fn(lambda m, t: F.affine_grid(t, (1, 3, 4, 5), align_corners=False)),
        (z(1, 2, 3),),
        120,
        0,
    ),
    "two determinants of 6x6: 6^3 / 3 each": (
        Fn(lambda m, a: torch.linalg.det(a)),
        (torch.eye(6).repeat(2, 1, 1),),
        144,
        0,
    ),
    "LU of 6x4: 16 * (18 - 4) / 6": (
        Fn(lambda m, a: torch.linalg.lu_factor_ex(a)[0]),
        (z(6, 4),),
        37,
        0,
    ),
    "Cholesky of 6x6: 6^3 / 6": (
        Fn(lambda m, a: torch.linalg.cholesky_ex(a).L),
        (torch.eye(6),),
        36,
        0,
    ),
    "inverse of 6x6: 6^3": (Fn(lambda m, a: torch.linalg.inv_ex(a)[0]), (torch.eye(6),), 216, 0),
    "6x6 system, 5 right sides: 72 + 36*5": (
        Fn(lambda m, a, b: torch.linalg.solve_ex(a, b)[0]),
        (torch.eye(6), z(6, 5)),
        252,
        0,
    ),
    "QR of 6x4: R 16*14/3, Q as much: 448/3": (
        Fn(lambda m, a: torch.linalg.qr(a)),
        (z(6, 4),),
        149,
        0,
    ),
    "QR of 6x4, R alone: 16*14/3": (
        Fn(lambda m, a: torch.linalg.qr(a, mode="r")[1]),
        (z(6, 4),),
        74,
        0,
    ),
    "eigenvalues of 6x6: 2*216/3; with vectors 9*216/2": (
        Fn(lambda m, a: (torch.linalg.eigvalsh(a), torch.linalg.eigh(a))),
        (torch.eye(6),),
        144 + 972,
        0,
    ),
    "singular values of 6x4: 2*6*16 - 2*64/3; with vectors 7*96 + 4*64": (
        Fn(lambda m, a: (torch.linalg.svdvals(a), torch.linalg.svd(a))),
        (z(6, 4),),
        150 + 928,
        0,
    ),
    "batch norm has no MACs": (nn.BatchNorm2d(4), (z(1, 4, 3, 3),), 0, 8),
    "interpolation has no MACs": (
        Fn(lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
        (z(1, 1, 4, 4),),
        0,
        0,
    ),
}
CASES["mha E8 h2 L5: in 5*8*24, qk+av 2*5*5*8, out 5*64; 192+24+64+8"][0].a = nn.MultiheadAttention(
    8, 2, batch_first=True
)
DEVICES = [
    "meta",
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", CASES)
def test_closed_form(case, device):
    model, inputs, macs, params = CASES[case]
    total = costlab.total(costlab.trace(model.eval(), inputs, device=device), strict=True)
    assert (total.macs, total.params) == (macs, params)


x44 = z(2, 3, 4, 4)  # 96 elements
FLOPS = {
    # name: (model, inputs, FLOPs, activations, outputs) - derivation;
    # activations are outputs of products alone
    "linear 4->5 with bias, batch 3: 2*60 + 15 adds": (nn.Linear(4, 5), (z(3, 4),), 135, 15, 15),
    "conv 3->8 k1 with bias: 2*256*3 + 256": (nn.Conv2d(3, 8, 1), (x44,), 1792, 256, 256),
    "batch norm: 4 an element": (nn.BatchNorm2d(3), (x44,), 384, 0, 96),
    "layer norm: 4 an element; also mean and deviation of 24 rows": (
        nn.LayerNorm(4),
        (x44,),
        384,
        0,
        144,
    ),
    "group norm: 4 an element; also mean and deviation of 2*3 groups": (
        nn.GroupNorm(3, 3),
        (x44,),
        384,
        0,
        108,
    ),
    "max pool 2: 4 compares an output; also the indices": (nn.MaxPool2d(2), (x44,), 96, 0, 48),
    "avg pool 3 pad 1: 9 adds an output": (nn.AvgPool2d(3, 1, 1), (x44,), 864, 0, 96),
    "global average: 1 an input element": (nn.AdaptiveAvgPool2d(1), (x44,), 96, 0, 6),
    "relu: 1 an element": (nn.ReLU(), (x44,), 96, 0, 96),
    "gelu: 1 an element": (nn.GELU(), (x44,), 96, 0, 96),
    "a + b: 1 an element": (Fn(lambda m, a, b: a + b), (x44, x44), 96, 0, 96),
    "sum: 1 an input element": (Fn(lambda m, a: a.sum()), (x44,), 96, 0, 1),
    "softmax: 5 an element": (nn.Softmax(1), (x44,), 480, 0, 96),
    "embedding: no arithmetic": (nn.Embedding(10, 4), (z(3, dtype=torch.long),), 0, 0, 12),
    "bag of 2 rows: 1 an element looked up": (
        nn.EmbeddingBag(10, 4),
        (z(3, 2, dtype=torch.long),),
        24,
        0,
        None,
    ),
    "bilinear x2: 8 an output": (
        Fn(lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
        (z(1, 1, 4, 4),),
        512,
        0,
        64,
    ),
    "nearest x2: moves": (
        Fn(lambda m, x: F.interpolate(x, scale_factor=2)),
        (z(1, 1, 4, 4),),
        0,
        0,
        64,
    ),
    "fft of 64 points: 5 n log2 n": (
        Fn(lambda m, x: torch.fft.fft2(x)),
        (z(8, 8, dtype=torch.complex64),),
        1920,
        0,
        64,
    ),
    "distances of 4 points in 3: 6 pairs, 3 a coordinate": (
        Fn(lambda m, a: F.pdist(a)),
        (z(4, 3),),
        54,
        0,
        6,
    ),
    "cdist 2x4 in 3: 3 a coordinate": (
        Fn(lambda m, a, b: torch.cdist(a, b)),
        (z(2, 3), z(4, 3)),
        72,
        0,
        8,
    ),
    "sdpa b1 h1 s2 n3 d4: 2*2*3*8, scale 2*(8+12), softmax 5*6": (
        Fn(lambda m, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        (z(1, 1, 2, 4), z(1, 1, 3, 4), z(1, 1, 3, 4)),
        96 + 20 + 30,
        14,
        None,
    ),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", FLOPS)
def test_flops_and_activations(case, device):
    model, inputs, flops, activations, outputs = FLOPS[case]
    total = costlab.total(costlab.trace(model.eval(), inputs, device=device), strict=True)
    assert (total.macs > 0) == (activations > 0)
    assert (total.flops, total.activations) == (flops, activations) and outputs in (
        None,
        total.outputs,
    )


def _overloads():
    for name in dir(torch.ops.aten):
        packet = getattr(torch.ops.aten, name)
        for overload in getattr(packet, "overloads", list)():
            yield name, getattr(packet, overload)


def test_every_operation_that_torch_calls_core_or_pointwise_has_a_formula():
    """But those that torch runs by others, which are recorded instead."""
    tags = {torch.Tag.core, torch.Tag.pointwise}
    asked = {
        name
        for name, op in _overloads()
        if tags & set(op.tags)
        and torch._C._dispatch_has_kernel(op.name())
        and not torch._C._dispatch_has_kernel_for_dispatch_key(
            op.name(), "CompositeImplicitAutograd"
        )
    }
    assert len(asked) > 300
    assert not {name for name in asked if REGISTRY.find(f"aten.{name}") is None}


@pytest.mark.parametrize(
    "dtype, width", [(torch.float32, 4), (torch.bfloat16, 2), (torch.float64, 8)]
)
def test_bytes_are_the_tensors_read_and_written(dtype, width):
    total = costlab.total(costlab.trace(nn.Linear(4, 5).to(dtype), z(3, 4, dtype=dtype)))
    assert (total.read, total.written) == (width * (12 + 20 + 5), width * 15)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_is_counted_dense():
    pytest.importorskip("torch.nn.attention.flex_attention")
    from torch.nn.attention.flex_attention import flex_attention

    q, kv = z(1, 4, 128, 16), z(1, 2, 128, 16)
    trace = costlab.trace(
        Fn(lambda m, q, k: flex_attention(q, k, k, enable_gqa=True)), (q, kv), device="cpu"
    )
    assert costlab.total(trace, strict=True).macs == 4 * 128 * 128 * (16 + 16)


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_inference_mode_changes_no_count(device):
    def make():
        return nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.BatchNorm2d(8),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(72, 4),
            nn.Softmax(1),
        ).eval()

    plain = costlab.trace(make(), z(1, 3, 8, 8), device=device)
    with torch.inference_mode():  # the tensors themselves are inference tensors too
        made = costlab.trace(make(), z(1, 3, 8, 8), device=device)
    assert costlab.total(made) == costlab.total(plain) and [o.name for o in made.ops] == [
        o.name for o in plain.ops
    ]


def test_bytes_of_lookups_expanded_tensors_and_views():
    """A lookup reads the rows it takes and their indices (float32: 4, int64: 8 bytes), an expanded
    tensor is read where it lies."""
    lookup = costlab.total(costlab.trace(nn.Embedding(1000, 8), z(2, 3, dtype=torch.long)))
    assert (lookup.read, lookup.written) == (6 * 8 + 6 * 8 * 4, 6 * 8 * 4)
    spread = costlab.total(costlab.trace(Fn(lambda m, x: x.expand(100, -1).sum()), z(1, 7)))
    assert (spread.read, spread.written, spread.flops) == (7 * 4, 4, 700)
    view = costlab.total(costlab.trace(Fn(lambda m, x: x.view(7).t()), z(1, 7)))
    assert (view.read, view.written) == (0, 0)


def test_a_generator_is_run_to_its_end():
    def steps(m, x):
        for _ in range(3):
            yield m.w @ x

    model = Fn(steps)
    model.w = nn.Parameter(z(4, 4))
    assert costlab.total(costlab.trace(model, z(4, 2))).macs == 3 * 32
    model = Fn(lambda m, x: {"a": map(lambda v: m.w @ v, [x, x])})
    model.w = nn.Parameter(z(4, 4))
    assert costlab.total(costlab.trace(model, z(4, 2))).macs == 2 * 32


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr"])
def test_a_sparse_factor_is_multiplied_where_it_keeps_something(layout):
    """9 of 36 elements are kept, each by 4 columns."""
    keep = torch.zeros(36)
    keep[::4] = 1
    a = getattr(keep.view(6, 6), layout)()
    for fn in (
        lambda m, x: torch.sparse.mm(a, x),
        lambda m, x: a @ x,
        lambda m, x: torch.addmm(z(6, 4), a, x),
    ):
        trace = costlab.trace(Fn(fn), z(6, 4), device="cpu")
        assert costlab.total(trace, strict=True).macs == 9 * 4
    with pytest.raises(costlab.TraceError, match="trace it with device cpu"):
        costlab.trace(Fn(lambda m, x: a @ x), z(6, 4), device="meta")


def test_a_batch_of_sparse_matrices_counts_each_element_once():
    a = torch.zeros(4, 8, 8)
    a[:, 1, 2] = 1
    assert (
        costlab.total(
            costlab.trace(Fn(lambda m, x: torch.bmm(a.to_sparse(), x)), z(4, 8, 3), device="cpu")
        ).macs
        == 4 * 3
    )


def test_the_backward_pass_of_a_bilinear_layer():
    """n o i j for one product and n o i for the other, once for each of three gradients."""

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Bilinear(3, 5, 7, bias=False)

        def forward(self, x, y):
            return self.b(self.a(x), y)

    trace = costlab.trace(Both(), (z(2, 3), z(2, 5)), backward=True)
    products = [costlab.total(trace, [op]).macs for op in trace.ops if op.name == "aten._trilinear"]
    assert (
        products[0] == 2 * 7 * 3 * 5 + 2 * 7 * 3
        and all(m >= 2 * 7 * 3 * 5 for m in products)
        and len(products) == 3
    )


def test_a_complex_product_is_four_real_ones():
    total = costlab.total(
        costlab.trace(nn.Linear(3, 4, bias=False, dtype=torch.cfloat), z(2, 3, dtype=torch.cfloat))
    )
    assert (total.macs, total.flops) == (4 * 24, 8 * 24)


def test_autocast_is_refused_on_meta():
    def cast(m, x):
        with torch.autocast("cpu", torch.bfloat16):
            return x @ x

    def off(m, x):
        with torch.autocast("cpu", enabled=False):
            return x @ x

    with pytest.raises(costlab.TraceError, match="autocast works on real devices only"):
        costlab.trace(Fn(cast), z(4, 4), device="meta")
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(costlab.TraceError, match="autocast works on real devices only"),
    ):
        costlab.trace(nn.Linear(4, 4), z(4, 4), device="meta")
    assert (
        costlab.total(costlab.trace(Fn(cast), z(4, 4), device="cpu")).macs
        == costlab.total(costlab.trace(Fn(off), z(4, 4), device="meta")).macs
        == 64
    )


def test_a_formula_that_returns_no_pair_names_its_op(monkeypatch):
    from costlab.cost.registry import REGISTRY

    monkeypatch.setattr(REGISTRY, "formulas", dict(REGISTRY.formulas))
    costlab.formula("aten::mm")(lambda t, op: 7)
    with pytest.raises(TypeError, match="the formula of aten.mm returned 7; return .MACs, FLOPs."):
        costlab.total(costlab.trace(Fn(lambda m, x: x @ x), z(2, 2)))


@pytest.mark.parametrize("device", [torch.device("cpu"), torch.device("meta"), "meta"])
def test_a_device_may_be_torchs_own(device):
    assert costlab.total(costlab.trace(nn.Linear(2, 2), z(1, 2), device=device)).macs == 4


def test_norm_scales_are_no_weights():
    total = costlab.total(costlab.trace(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 4)), z(2, 8)))
    assert (total.params, total.weights) == (16 + 36, 32)


def test_a_lazy_module_is_told_to_run_first():
    with pytest.raises(costlab.TraceError, match="weight has no shape yet"):
        costlab.trace(nn.LazyLinear(4), z(2, 3))


def test_what_a_model_makes_for_itself_is_made_on_the_tracing_device():
    model = Fn(lambda m, x: F.grid_sample(x, z(1, 4, 4, 2), align_corners=False))
    meta, cpu = (
        costlab.total(costlab.trace(model, z(1, 3, 8, 8), device=d)) for d in ("meta", "cpu")
    )
    assert meta == cpu


def test_an_unknown_op_is_listed_and_strict_refuses():
    trace = costlab.trace(Fn(lambda m, x: torch.matrix_exp(x) @ x), (torch.eye(3),), device="cpu")
    total = costlab.total(trace)
    assert total.unknown and "lower bound" in total.coverage and total.macs == 27
    with pytest.raises(ValueError, match="no formula for aten.linalg_matrix_exp"):
        costlab.total(trace, strict=True)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was(device, fails):
    def forward(m, x):
        y = m.bn(m.drop(x))
        if fails:
            raise KeyError("half-way")
        return y

    model = Fn(forward)
    model.bn, model.drop = nn.BatchNorm2d(2), nn.Dropout()
    model.train()
    state, rng = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    hooks = len(nn.modules.module._global_forward_hooks)
    x = torch.rand(2, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    if fails:
        with pytest.raises(costlab.TraceError, match="KeyError"):
            costlab.trace(model, x, device=device)
    else:
        costlab.trace(model, x, device=device)
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in state.items())
    assert torch.equal(rng, torch.get_rng_state()) and model.training and model.bn.training
    assert len(nn.modules.module._global_forward_hooks) == hooks and not model._forward_hooks
    assert all(p.device.type == "cpu" and p.grad is None for p in model.parameters())
    assert torch.backends.mha.get_fastpath_enabled() and torch.backends.cuda.flash_sdp_enabled()


def test_a_trace_is_dropped_with_what_was_worked_out_from_it():
    """Costs, layouts, layers and blocks refer to their trace."""
    trace = costlab.trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 8, 8))
    assert costlab.table(trace, style="resnet").macs == 6 * 6 * 4 * 27
    gone = weakref.ref(trace)
    del trace
    gc.collect()
    assert gone() is None


def test_the_cost_of_an_operation_is_worked_out_once(monkeypatch):
    """A formula runs once an operation, however many tables, totals and charts ask for it."""
    called = Counter()
    monkeypatch.setattr(REGISTRY, "formulas", dict(REGISTRY.formulas))
    for name, fn in list(REGISTRY.formulas.items()):

        def counted(trace, op, fn=fn):
            called[id(op)] += 1
            return fn(trace, op)

        REGISTRY.formulas[name] = counted
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1))
    trace = costlab.trace(model.eval(), torch.zeros(1, 3, 8, 8))
    for style in ("layers", "resnet", "auto"):
        costlab.table(trace, style=style)
    costlab.total(trace)
    costlab.profile(trace)
    costlab.compare(trace, trace)
    assert called == {id(op): 1 for op in trace.ops}


def test_a_pickled_trace_holds_its_fields_alone():
    trace = costlab.trace(nn.Linear(4, 5), torch.zeros(2, 4))
    assert costlab.total(trace).macs == 40
    again = pickle.loads(pickle.dumps(trace))
    assert again == trace and vars(again).keys() == {f.name for f in fields(trace)}

"""Weights that are not nn.Parameter, integer products, and what detectors run."""

import warnings

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab.analysis.memory import memory
from costlab.cost import constant_operands, size_of
from costlab.graph import layer_graph
from costlab.sources.torchvision import load_torchvision
from costlab.tables import table

quantization = pytest.importorskip("torch.ao.quantization")
needs_engine = pytest.mark.skipif(
    torch.backends.quantized.engine in ("none", ""), reason="no quantized kernels in this build"
)


def quietly(fn, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fn(*args, **kwargs)


def dynamic():
    """Linear(128, 32) and Linear(32, 10) with int8 weights."""
    model = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10)).eval()
    return quietly(quantization.quantize_dynamic, model, {nn.Linear})


class Static(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.leave = quantization.QuantStub(), quantization.DeQuantStub()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(128, 5)

    def forward(self, x):
        return self.leave(self.fc(self.conv(self.enter(x)).flatten(1)))


def static():
    model = Static().eval()
    model.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    quietly(quantization.prepare, model, inplace=True)
    model(torch.rand(1, 3, 4, 4))
    return quietly(quantization.convert, model, inplace=True)


@needs_engine
@pytest.mark.parametrize(
    "build, x, weights, biases, integer_macs",
    [
        # 128*32 + 32*10 weights, 32 + 10 biases; 2 * (4096 + 320) products
        (dynamic, torch.zeros(2, 128), 4416, 42, 8832),
        # 8*3*9 + 128*5 weights, 8 + 5 biases; 16 * 216 + 640 products
        (static, torch.zeros(1, 3, 4, 4), 856, 13, 4096),
    ],
)
def test_quantized_layers_have_their_weights_and_integer_products(
    build, x, weights, biases, integer_macs
):
    trace = costlab.trace(build(), x, device="cpu")
    found = costlab.total(trace, strict=True)
    assert (found.weights, found.biases, found.params) == (weights, biases, weights + biases)
    assert (found.macs, found.integer_macs) == (0, integer_macs)
    # int8 weights take one byte each, float32 biases four
    assert sum(size_of(trace, p.tensor) for p in trace.params) == weights + 4 * biases
    assert memory(trace).params == weights + 4 * biases
    shown = table(trace)
    assert shown.params == weights + biases and shown.totals["integer ops"] == integer_macs
    assert sum(r.cells["integer ops"] for r in shown.rows) == integer_macs
    assert any(n.startswith("integer ops: ") for n in shown.notes)


class First(nn.Module):
    """The first output of a recurrent layer or cell."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        out = self.layer(x)
        return out[0] if isinstance(out, tuple) else out


STEPS, BATCH = 3, 2
RECURRENT = [
    # layer, gates, weights a gate, biases a gate, places that multiply
    (nn.LSTMCell(8, 16), 4, 16 * (8 + 16), 2 * 16, BATCH),
    (nn.LSTMCell(16, 16), 4, 16 * (16 + 16), 2 * 16, BATCH),  # both weights have one shape
    (nn.GRUCell(8, 16), 3, 16 * (8 + 16), 2 * 16, BATCH),
    (nn.RNNCell(8, 16), 1, 16 * (8 + 16), 2 * 16, BATCH),
    (nn.LSTM(8, 16), 4, 16 * (8 + 16), 2 * 16, STEPS * BATCH),
    (nn.GRU(8, 16), 3, 16 * (8 + 16), 2 * 16, STEPS * BATCH),
    (
        nn.LSTM(8, 16, 2, bidirectional=True),
        4,
        2 * 16 * (8 + 16) + 2 * 16 * (32 + 16),  # the second layer reads both directions
        4 * 2 * 16,
        STEPS * BATCH,
    ),
]


@needs_engine
@pytest.mark.parametrize("layer, gates, weights, biases, places", RECURRENT)
def test_quantized_recurrent_layers_have_their_weights_and_integer_products(
    layer, gates, weights, biases, places
):
    model = quietly(quantization.quantize_dynamic, First(layer).eval(), {type(layer)})
    width = layer.input_size
    x = torch.zeros(BATCH, width) if "Cell" in type(layer).__name__ else torch.zeros(3, 2, width)
    found = costlab.total(costlab.trace(model, x, device="cpu"), strict=True)
    assert (found.weights, found.biases) == (gates * weights, gates * biases)
    assert (found.macs, found.integer_macs) == (0, places * gates * weights)


@needs_engine
def test_half_precision_recurrent_layers_have_floating_point_products():
    half = {nn.LSTM: quantization.float16_dynamic_qconfig}
    model = quietly(
        quantization.quantize_dynamic, First(nn.LSTM(8, 16)).eval(), half, dtype=torch.float16
    )
    found = costlab.total(costlab.trace(model, torch.zeros(3, 2, 8), device="cpu"), strict=True)
    assert (found.macs, found.integer_macs) == (6 * 4 * 16 * (8 + 16), 0)


@needs_engine
def test_quantized_layers_are_layers():
    """As those of the floating-point model: kinds, windows, layouts and receptive fields."""
    float_, int8 = Static().eval(), static()
    float_.enter = float_.leave = nn.Identity()
    graphs = [layer_graph(costlab.trace(m, torch.zeros(1, 3, 4, 4))) for m in (float_, int8)]
    first, second = (
        [(n.kind, n.kernel, n.stride, n.groups, n.layout.size, n.field) for n in nodes]
        for nodes in graphs
    )
    assert first == second
    assert [n.kind for n in graphs[1]] == ["input", "conv", "linear"]


@needs_engine
@pytest.mark.parametrize(
    "name, style",
    slow_but(
        ("mobilenet_v2", "googlenet"),
        [("resnet18", "resnet"), ("mobilenet_v2", "resnet"), ("googlenet", "paper")],
    ),
)
def test_a_quantized_network_has_the_style_and_rows_of_its_float_twin(name, style):
    load_torchvision()
    models = pytest.importorskip("torchvision").models
    options = {"init_weights": False} if name == "googlenet" else {}
    twins = [
        models.get_model(name, weights=None, **options).eval(),
        quietly(getattr(models.quantization, name), weights=None, quantize=True, **options).eval(),
    ]
    image = torch.zeros(1, 3, 64, 64)
    traces = [costlab.trace(m, image, device="cpu") for m in twins]
    one, other = map(table, traces)
    assert one.style == other.style == style
    rows, quantized = ([described(r) for r in t.rows if r.nodes] for t in (one, other))
    assert rows == quantized
    assert one.macs == costlab.total(traces[1]).integer_macs


def described(row):
    """A row without its params: the float network has norms of its own."""
    cells = {k: v for k, v in row.cells.items() if k not in ("params", "ops", "integer ops")}
    return cells, row.cells.get("integer ops", row.cells["ops"])


def test_packed_weights_are_counted_once_over_several_calls():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = dynamic()[2]

        def forward(self, x):
            return self.fc(x), self.fc(x)

    found = costlab.total(costlab.trace(Twice(), torch.zeros(1, 32), device="cpu"))
    assert (found.params, found.integer_macs) == (330, 640)


def test_floating_point_models_have_no_integer_column():
    shown = table(costlab.trace(nn.Linear(4, 5), torch.zeros(1, 4)))
    assert "integer ops" not in {c.key for c in shown.columns}


class Int8Weight(torch.Tensor):
    """A float32 tensor that keeps int8 values and one scale a row."""

    @staticmethod
    def __new__(cls, values, scale):
        return torch.Tensor._make_wrapper_subclass(cls, values.shape, dtype=scale.dtype)

    def __init__(self, values, scale):
        self.values, self.scale = values, scale

    def __tensor_flatten__(self):
        return ["values", "scale"], None

    @classmethod
    def __tensor_unflatten__(cls, inner, _, shape, stride):
        return cls(inner["values"], inner["scale"])

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.detach.default:
            return cls(args[0].values, args[0].scale)
        plain = [a.values * a.scale if isinstance(a, cls) else a for a in args]
        return func(*plain, **(kwargs or {}))


def test_a_wrapper_subclass_takes_the_bytes_of_its_inner_tensors():
    layer = nn.Linear(16, 8, bias=False)
    values = torch.zeros(8, 16, dtype=torch.int8)
    layer.weight = nn.Parameter(Int8Weight(values, torch.ones(8, 1)), requires_grad=False)
    trace = costlab.trace(layer, torch.zeros(2, 16), device="cpu")
    found = costlab.total(trace)
    assert (found.params, found.weights, found.macs) == (128, 128, 2 * 128)
    assert memory(trace).params == 128 + 4 * 8


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.norm(self.conv(x)).to_dense().mean((2, 3)).to_mkldnn())


def test_the_layers_of_onednn_have_their_weights():
    """8 (3 * 3 * 3) + 8 of the convolution, 8 + 8 of the norm without its statistics, 8 * 4 + 4;
    products at 6 x 6 places of each of 2 images."""
    from torch.utils import mkldnn

    model = quietly(mkldnn.to_mkldnn, Plain().eval())
    trace = costlab.trace(model, torch.ones(2, 3, 8, 8).to_mkldnn(), device="cpu")
    found = costlab.total(trace)
    assert (found.params, found.weights) == (224 + 16 + 36, 216 + 32)
    assert memory(trace).params == 4 * 276
    assert found.macs == 2 * (36 * 216 + 32)
    with pytest.raises(costlab.TraceError, match="oneDNN's layout .* trace it with device cpu"):
        costlab.trace(model, torch.ones(2, 3, 8, 8), device="meta")


class Frozen(nn.Module):
    """Weights as constants, as a frozen TorchScript model has them."""

    def __init__(self):
        super().__init__()
        self.w, self.b = torch.zeros(5, 4), torch.zeros(5)

    def forward(self, x):
        return nn.functional.linear(x, self.w, self.b)


def test_constant_weights_are_said_to_be_missing():
    trace = costlab.trace(Frozen(), torch.zeros(3, 4))
    assert constant_operands(trace) == 25 and costlab.total(trace).params == 0
    assert any(n.startswith("25 elements of weights are buffers") for n in table(trace).notes)


def fn(f):
    module = nn.Module()
    module.forward = f
    return module


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.equal(x, x) and x,
        lambda x: torch.isin(x, x),
        torch.unique,
        lambda x: x.index_copy(0, torch.tensor([0]), x[:1]),
        lambda x: x.index_fill(0, torch.tensor([0]), 1.0),
        lambda x: x + torch.tril_indices(3, 3).sum(),
        lambda x: torch._is_all_true(x > 0) and x,
    ],
)
def test_every_operation_has_a_formula(f):
    trace = costlab.trace(fn(f), torch.arange(9.0).view(3, 3), device="cpu")
    assert trace.ops and not costlab.total(trace, strict=True).unknown


@pytest.mark.parametrize(
    "masked, flops",
    [
        # 2*8*25 outputs * 4*9/2 MACs twice, columns 2*25*4*9 of 8 FLOPs, one add an output
        (False, 2 * 7200 + 1800 * 8 + 400),
        (True, 2 * 7200 + 1800 * 9 + 400),
    ],
)
def test_a_deformable_convolution(masked, flops):
    """Batch 2, 4 -> 8 channels in 2 groups, 3x3 on 5x5 with padding: by its formula alone, so that
    it needs no build of torchvision."""
    from costlab.trace import Op, Tensor, Trace

    shapes = [(2, 4, 5, 5), (8, 2, 3, 3), (2, 18, 5, 5), (2, 9, 5, 5), (8,), (2, 8, 5, 5)]
    op = Op(
        "torchvision.deform_conv2d",
        "",
        "Net",
        0,
        (0, 1, 2, 3, 4),
        (5,),
        (),
        {"use_mask": masked},
    )
    tensors = tuple(Tensor(s, "float32") for s in shapes)
    trace = Trace((op,), tensors, (), (0,), (5,), {"model": "Net"})
    found = costlab.cost_of(trace, op)
    assert (found.macs, found.flops, found.known) == (7200, flops, True)


@pytest.mark.parametrize(
    "name, attrs, flops",
    [
        # 5 regions of 4 x 7 x 7 outputs, each the mean of 2 x 2 samples: 8 FLOPs and an add
        ("roi_align", {"sampling_ratio": 2}, 5 * 4 * 49 * 4 * 9),
        # an adaptive ratio counts as one sample
        ("roi_align", {"sampling_ratio": -1}, 5 * 4 * 49 * 9),
        ("ps_roi_align", {"sampling_ratio": 0}, 5 * 4 * 49 * 9),
        # one compare or add a feature, where there are more features than outputs
        ("roi_pool", {}, 4 * 32 * 32),
        ("ps_roi_pool", {}, 4 * 32 * 32),
    ],
)
def test_regions_of_a_detector(name, attrs, flops):
    """5 regions of a (1, 4, 32, 32) feature map to 7 x 7."""
    from costlab.trace import Op, Tensor, Trace

    op = Op(f"torchvision.{name}", "", "Net", 0, (0, 1), (2,), (), attrs)
    shapes = [(1, 4, 32, 32), (5, 5), (5, 4, 7, 7)]
    tensors = tuple(Tensor(s, "float32") for s in shapes)
    trace = Trace((op,), tensors, (), (0, 1), (2,), {"model": "Net"})
    found = costlab.cost_of(trace, op)
    assert (found.macs, found.flops, found.known) == (0, flops, True)


def test_totals_of_a_detector_depend_on_its_proposals():
    from costlab.trace import Op, Tensor, Trace

    op = Op("torchvision.nms", "", "Net", 0, (0, 1), (2,), (), {})
    tensors = Tensor((10, 4), "float32"), Tensor((10,), "float32"), Tensor((3,), "int64")
    provenance = {"model": "Net", "device": "cpu", "torch": "2.13.0", "inputs": []}
    trace = Trace((op,), tensors, (), (0, 1), (2,), provenance)
    assert costlab.cost_of(trace, op).flops == 13 * 45  # pairs of 10 boxes
    assert any("depend on the proposals of this run (nms)" in n for n in table(trace).notes)


def test_a_training_step_names_the_gradient_of_its_output():
    """Linear(6, 5) without buffers on a batch of 3: 15 floats of gradient to start from."""
    found = memory(costlab.trace(nn.Linear(6, 5), torch.zeros(3, 6), backward=True))
    assert (found.buffers, found.output_gradients, found.gradients) == (0, 60, 4 * 35)
    rows = {r["what"]: r["bytes"] for r in found.sheet.rows}
    assert rows["gradient of the outputs"] == 60 and "buffers and constants" not in rows
    assert found.whole == found.params + found.inputs + 60 + found.peak


def test_each_cost_is_worked_out_once():
    calls = []

    @costlab.formula("costlab_test.once")
    def once(trace, op):
        calls.append(op)
        return 0, 1

    from costlab.trace import Op, Tensor, Trace

    op = Op("costlab_test.once", "", "Net", 0, (0,), (0,), (), {})
    provenance = {"model": "Net", "device": "cpu", "torch": "2.13.0", "inputs": []}
    trace = Trace((op,), (Tensor((2,), "float32"),), (), (0,), (0,), provenance)
    table(trace), costlab.total(trace), costlab.total(trace, strict=True)
    assert len(calls) == 1
    costlab.formula("costlab_test.once")(lambda t, o: (3, 6))  # a later formula is the one used
    assert costlab.total(trace).macs == 3

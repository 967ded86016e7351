"""ONNX files against the PyTorch models that they were exported from: MACs, params, values."""

import pytest
import torch
from torch import nn

import costlab
from costlab.cli import main
from costlab.sources import SourceError
from costlab.sources.torchvision import load_torchvision

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.filterwarnings("ignore")  # the exporters warn of themselves


class Recurrent(nn.Module):
    """A recurrent layer, and a classifier of its last step."""

    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = kind(8, 16, batch_first=True, **options)
        self.fc = nn.Linear(32 if options.get("bidirectional") else 16, 4)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


class Resampled(nn.Module):
    """Transposed convolution, group norm, upsampling and a concatenation."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3, 2, 1, 1)
        self.norm = nn.GroupNorm(2, 6)
        self.mix = nn.Conv2d(10, 5, 1)

    def forward(self, x):
        y = self.norm(self.up(x))
        return self.mix(torch.cat([y, nn.functional.interpolate(x, scale_factor=2.0)], 1)).sigmoid()


def torchvision(name):
    def build():
        load_torchvision()
        from torchvision import models

        return models.get_model(name, weights=None)

    return build


def timm(name, **options):
    def build():
        load_torchvision()
        import timm

        return timm.create_model(name, **options)

    return build


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)


IMAGE = (1, 3, 64, 64)
SWIN = timm("swin_tiny_patch4_window7_224", depths=(2, 2), img_size=56)
# the exporter folds the table of relative positions, (2 x 7 - 1)^2 a head, into the 49 x 49 biases
# that it stands for; two blocks of 3 heads and two of 6
SWIN_BIASES = 2 * (3 + 6) * (49**2 - 13**2)
# model, input, whether the dynamo exporter is used (otherwise TorchScript's), params folded in
CASES = {
    "googlenet": (lambda: costlab.zoo.build("googlenet"), (1, 3, 224, 224), False, 0),
    "resnet18": (torchvision("resnet18"), IMAGE, True, 0),
    "resnet18 by TorchScript": (torchvision("resnet18"), IMAGE, False, 0),
    "mobilenet_v2": (torchvision("mobilenet_v2"), IMAGE, False, 0),
    "mobilenet_v3_small": (torchvision("mobilenet_v3_small"), IMAGE, False, 0),
    "densenet121": (torchvision("densenet121"), IMAGE, False, 0),
    "squeezenet1_1": (torchvision("squeezenet1_1"), IMAGE, True, 0),
    "vit tiny": (timm("vit_tiny_patch16_224", depth=2, img_size=32), (1, 3, 32, 32), True, 0),
    "convnext atto": (timm("convnext_atto"), IMAGE, True, 0),
    "swin tiny": (SWIN, (1, 3, 56, 56), True, SWIN_BIASES),
    "lstm": (lambda: Recurrent(nn.LSTM, num_layers=2), (2, 5, 8), True, 0),
    "lstm by TorchScript": (lambda: Recurrent(nn.LSTM, bidirectional=True), (2, 5, 8), False, 0),
    "gru": (lambda: Recurrent(nn.GRU), (2, 5, 8), False, 0),
    "encoder": (encoder, (2, 7, 32), True, 0),
    "encoder by TorchScript": (encoder, (2, 7, 32), False, 0),
    "resampled": (Resampled, (1, 4, 8, 8), True, 0),
}


def trained(build):
    """The model with random values everywhere: equal ones would be stored once."""
    torch.manual_seed(0)
    model = build().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.02)
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 1.5)
    return model


# the dynamo exporter takes seconds for these
LONG = {
    "resnet18 by TorchScript",
    "densenet121",
    "mobilenet_v3_small",
    "encoder by TorchScript",
    "resnet18",
    "squeezenet1_1",
    "vit tiny",
    "convnext atto",
    "swin tiny",
    "resampled",
    "lstm",
    "encoder",
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(c, marks=pytest.mark.slow if c in LONG else ()) for c in CASES],
)
def exported(request, tmp_path_factory):
    build, shape, dynamo, folded = CASES[request.param]
    model, x = trained(build), torch.randn(shape)
    file = tmp_path_factory.mktemp("onnx") / "net.onnx"
    options = {"external_data": False} if dynamo else {}
    torch.onnx.export(model, (x,), str(file), dynamo=dynamo, verbose=False, **options)
    return model, x, str(file), folded


def norms_folded(model, file):
    """Channels of the batch norms that are in the model and not in the file: each of these layers
    has a scale and a shift, and its convolution without a bias got one."""
    graph = onnx.load(file).graph
    sizes = {t.name: t.dims[0] for t in graph.initializer if t.dims}
    left = sum(sizes[n.input[1]] for n in graph.node if n.op_type == "BatchNormalization")
    return sum(m.num_features for m in model.modules() if isinstance(m, nn.BatchNorm2d)) - left


def test_a_file_costs_what_its_model_costs(exported):
    model, x, file, folded = exported
    loaded = costlab.load(file)
    got = costlab.total(costlab.trace(loaded.model, loaded.inputs, device="meta"))
    want = costlab.total(costlab.trace(model, x.to("meta"), device="meta"))
    assert got.macs == want.macs
    assert got.params == want.params - norms_folded(model, file) + folded
    assert got.unknown == {}


def test_a_file_computes_what_its_model_computes(exported):
    model, x, file, _ = exported
    loaded = costlab.load(file, device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(x), model(x), rtol=1e-3, atol=1e-3)


def test_convolutions_are_in_the_modules_that_they_came_from(exported):
    model, x, file, _ = exported
    loaded = costlab.load(file)

    def layers(trace):
        return sorted(
            (op.module, costlab.cost_of(trace, op).macs)
            for op in trace.ops
            if op.name == "aten.convolution"
        )

    got = layers(costlab.trace(loaded.model, loaded.inputs, device="meta"))
    assert got == layers(costlab.trace(model, x.to("meta"), device="meta"))


def test_folded_norms_are_said(tmp_path):
    model = trained(lambda: nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)))
    file = str(tmp_path / "net.onnx")
    torch.onnx.export(model, (torch.zeros(1, 3, 8, 8),), file, dynamo=False)
    assert any("batch norms into 1 conv" in note for note in costlab.load(file).notes)
    out = tmp_path / "table.txt"
    assert main(["table", file, "-o", str(out)]) == 0
    assert "folded batch norms into 1 conv" in out.read_text()


def graph(nodes, inputs, outputs, tensors=(), **options):
    """A model of ONNX nodes; inputs and outputs by name and shape."""
    f32 = onnx.TensorProto.FLOAT
    values = [
        [onnx.helper.make_tensor_value_info(n, f32, s) for n, s in side.items()]
        for side in (inputs, outputs)
    ]
    made = onnx.helper.make_graph(nodes, "g", *values, initializer=list(tensors))
    return onnx.helper.make_model(
        made, opset_imports=[onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("x", 1)]
    )


def tensor(name, shape, kind="float32"):
    import numpy as np

    return onnx.numpy_helper.from_array(np.ones(shape, kind), name)


def test_operators_without_a_mapping_are_not_counted(tmp_path):
    """A convolution of 3 x 3 x 2 x 4 weights on 6 x 6 positions is known; x.Odd is not."""
    node = onnx.helper.make_node
    model = graph(
        [
            node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
            node("Odd", ["c"], ["o"], domain="x"),
            node("Relu", ["o"], ["y"]),
        ],
        {"x": [1, 2, 8, 8]},
        {"y": [1, 4, 6, 6]},
        [tensor("w", (4, 2, 3, 3))],
    )
    model.graph.value_info.append(
        onnx.helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, [1, 4, 6, 6])
    )
    onnx.save(model, tmp_path / "odd.onnx")
    loaded = costlab.load(str(tmp_path / "odd.onnx"))
    total = costlab.total(costlab.trace(loaded.model, loaded.inputs, device="meta"))
    assert total.macs == 36 * 9 * 2 * 4
    assert total.unknown == {"onnx.x_Odd": 1}


@pytest.mark.parametrize(
    "spec, macs", [(None, None), (["1x5x8"], 5 * 8 * 3), (["2x7x8"], 14 * 8 * 3)]
)
def test_dynamic_dimensions(spec, macs, tmp_path):
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    model = graph([node], {"x": ["n", "s", 8]}, {"y": ["n", "s", 3]}, [tensor("w", (8, 3))])
    file = str(tmp_path / "dynamic.onnx")
    onnx.save(model, file)
    if spec is None:
        with pytest.raises(SourceError, match="dimension 1 .s. of input x is dynamic"):
            costlab.load(file)
        return
    loaded = costlab.load(file, spec)
    assert costlab.total(costlab.trace(loaded.model, loaded.inputs, device="meta")).macs == macs


@pytest.mark.parametrize(
    "operator, attributes, message",
    [
        ("Conv", {"strides": "two"}, "Conv (n): strides is not a list of integers"),
        ("MaxPool", {"kernel_shape": [2.5, 2.5]}, "MaxPool (n): kernel_shape is not a list of int"),
        ("Softmax", {"axis": 1.5}, "Softmax (n): axis is not an integer"),
        ("LeakyRelu", {"alpha": [0.1]}, "LeakyRelu (n): alpha is not a number"),
        ("Gelu", {"approximate": 1}, "Gelu (n): approximate is not a string"),
        ("DepthToSpace", {}, "DepthToSpace (n) has no attribute blocksize"),
    ],
)
def test_an_attribute_of_another_kind_is_one_line(operator, attributes, message, tmp_path, capsys):
    inputs = ["x", "w"] if operator == "Conv" else ["x"]
    node = onnx.helper.make_node(operator, inputs, ["y"], "n", **attributes)
    file = str(tmp_path / "odd.onnx")
    weights = [tensor("w", (4, 4, 1, 1))]
    onnx.save(graph([node], {"x": [1, 4, 8, 8]}, {"y": [1, 4, 8, 8]}, weights), file)
    assert main(["table", file]) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1


def test_a_sequence_where_a_tensor_belongs_is_one_line(tmp_path, capsys):
    nodes = [
        onnx.helper.make_node("SequenceConstruct", ["x"], ["s"], "sequence"),
        onnx.helper.make_node("Flatten", ["s"], ["y"], "flat"),
    ]
    file = str(tmp_path / "sequence.onnx")
    onnx.save(graph(nodes, {"x": [2, 8]}, {"y": [2, 8]}), file)
    assert main(["table", file]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_input_that_does_not_fit_is_one_line(tmp_path, capsys):
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    file = str(tmp_path / "fixed.onnx")
    onnx.save(graph([node], {"x": [2, 8]}, {"y": [2, 3]}, [tensor("w", (8, 3))]), file)
    assert main(["table", file, "--input", "2x9"]) == 2
    assert "input x is 2x8 in the file, not 2x9" in capsys.readouterr().err


def test_quantized_products_are_counted(tmp_path):
    """int8 weights (4, 2, 3, 3) on 6 x 6 positions; each weight is a param."""
    scale, zero = tensor("s", (1,)), tensor("z", (1,), "uint8")
    names = ["x", "s", "z", "w", "s", "zw", "s", "z"]
    node = onnx.helper.make_node("QLinearConv", names, ["y"], kernel_shape=[3, 3])
    model = graph(
        [node],
        {"x": [1, 2, 8, 8]},
        {"y": [1, 4, 6, 6]},
        [scale, zero, tensor("zw", (1,), "int8"), tensor("w", (4, 2, 3, 3), "int8")],
    )
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    file = str(tmp_path / "q.onnx")
    onnx.save(model, file)
    loaded = costlab.load(file)
    total = costlab.total(costlab.trace(loaded.model, loaded.inputs, device="meta"))
    assert (total.macs, total.integer_macs, total.params) == (0, 36 * 9 * 2 * 4, 4 * 2 * 9)


QUANTIZED = {
    # int8 weights (8, 3) for 5 rows
    "MatMulInteger": (
        [("MatMulInteger", ["q", "w"], ["i"], {}), ("Cast", ["i"], ["y"], {"to": 1})],
        5 * 8 * 3,
        0,
    ),
    # both factors come from integers, one through a transposition
    "between quantizations": (
        [
            ("DequantizeLinear", ["q", "s", "z"], ["a"], {}),
            ("DequantizeLinear", ["wt", "s"], ["b"], {}),
            ("Transpose", ["b"], ["c"], {"perm": [1, 0]}),
            ("MatMul", ["a", "c"], ["y"], {}),
        ],
        5 * 8 * 3,
        0,
    ),
    "Gemm between quantizations": (
        [
            ("DequantizeLinear", ["q", "s", "z"], ["a"], {}),
            ("DequantizeLinear", ["wt", "s"], ["b"], {}),
            ("Gemm", ["a", "b", "bias"], ["y"], {"transB": 1}),
        ],
        5 * 8 * 3,
        0,
    ),
    # the other factor is the input itself
    "weights alone": (
        [("DequantizeLinear", ["w", "s"], ["b"], {}), ("MatMul", ["x", "b"], ["y"], {})],
        0,
        5 * 8 * 3,
    ),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("nodes, integer, floating", QUANTIZED.values(), ids=QUANTIZED)
def test_products_of_integers_are_apart_from_floating_point_ones(
    nodes, integer, floating, device, tmp_path
):
    first = ("QuantizeLinear", ["x", "s", "z"], ["q"], {})
    used = nodes if nodes[-1][1][0] == "x" else [first, *nodes]
    made = [onnx.helper.make_node(name, i, o, **attrs) for name, i, o, attrs in used]
    held = [
        tensor("s", ()),
        tensor("z", (), "uint8"),
        tensor("w", (8, 3), "int8"),
        tensor("wt", (3, 8), "int8"),
        tensor("bias", (3,)),
    ]
    names = {name for _, i, _, _ in used for name in i}
    model = graph(made, {"x": [5, 8]}, {"y": [5, 3]}, [t for t in held if t.name in names])
    file = str(tmp_path / "q.onnx")
    onnx.save(model, file)
    loaded = costlab.load(file, device=device)
    total = costlab.total(costlab.trace(loaded.model, loaded.inputs, device=device), strict=True)
    assert (total.integer_macs, total.macs) == (integer, floating)
    assert total.weights == 24


@pytest.mark.parametrize("operator", ["Attention", "MultiHeadAttention", "GroupQueryAttention"])
def test_onnxruntime_s_attention_is_what_it_is_fused_from(operator, tmp_path):
    """2 sequences of 5, 4 heads of 8: 2 x 5 x 5 x 32 products twice; 2 heads of keys and values
    need as many. Attention has a weight of 32 x 96 before it."""
    node = onnx.helper.make_node
    options = {"domain": "com.microsoft", "num_heads": 4}
    inputs, held = {"x": [2, 5, 32]}, []
    if operator == "Attention":
        made = node(operator, ["x", "w", "b"], ["y"], **options, unidirectional=1)
        held = [tensor("w", (32, 96)), tensor("b", (96,))]
    elif operator == "MultiHeadAttention":
        made = node(operator, ["x", "x", "x"], ["y"], **options)
    else:
        inputs["k"] = [2, 5, 16]
        made = node(operator, ["x", "k", "k"], ["y"], **options, kv_num_heads=2)
    model = graph([made], inputs, {"y": [2, 5, 32]}, held)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    file = str(tmp_path / "attention.onnx")
    onnx.save(model, file)
    loaded = costlab.load(file)
    trace = costlab.trace(loaded.model, loaded.inputs, device="meta")
    total = costlab.total(trace, strict=True)
    projection = 10 * 32 * 96 if operator == "Attention" else 0
    assert total.macs == projection + 2 * 2 * 5 * 5 * 32
    assert total.params == (32 * 96 + 96 if operator == "Attention" else 0)
    assert [trace.tensors[i].shape for i in trace.outputs] == [(2, 5, 32)]


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "none.bin"])
def test_external_data_is_read_beside_the_file_alone(location, tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(96))
    (tmp_path / "in").mkdir()
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    model = graph([node], {"x": [2, 8]}, {"y": [2, 3]}, [tensor("w", (8, 3))])
    held = model.graph.initializer[0]
    held.ClearField("raw_data")
    held.data_location = onnx.TensorProto.EXTERNAL
    held.external_data.add(key="location", value=location)
    file = tmp_path / "in" / "net.onnx"
    file.write_bytes(model.SerializeToString())
    assert costlab.load(str(file)).model is not None  # no weight is read
    with pytest.raises(SourceError, match="external data") as e:
        costlab.load(str(file), device="cpu")
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("data", [b"", b"no model", bytes(range(256)) * 9])
def test_a_damaged_file_is_one_line(data, tmp_path, capsys):
    file = tmp_path / "bad.onnx"
    file.write_bytes(data)
    assert main(["table", str(file)]) == 2
    assert capsys.readouterr().err == f"costlab: {file} is damaged, or is not an ONNX model\n"


def subgraph(nodes, inputs, outputs, tensors=()):
    """A body: inputs and outputs by name, dtype and shape."""
    values = [
        [onnx.helper.make_tensor_value_info(n, getattr(onnx.TensorProto, k), s) for n, k, s in side]
        for side in (inputs, outputs)
    ]
    return onnx.helper.make_graph(nodes, "body", *values, initializer=list(tensors))


def scalar(name, value, kind):
    import numpy as np

    return onnx.numpy_helper.from_array(np.array(value, kind), name)


def step(condition="Identity"):
    """A body of `Loop` that multiplies h (2, 8) by a weight (8, 8) of its own and a bias."""
    node = onnx.helper.make_node
    held = [tensor("w", (8, 8)), scalar("four", 4, "int64"), scalar("limit", 9.0, "float32")]
    ends = {
        "Identity": [node("Identity", ["going"], ["go"])],
        "counter": [node("Less", ["i", "four"], ["go"])],
        "data": [
            node("ReduceSum", ["h2"], ["sum"], keepdims=0),
            node("Less", ["sum", "limit"], ["go"]),
        ],
    }
    names = {name for n in ends[condition] for name in n.input} | {"w"}
    return subgraph(
        [node("MatMul", ["h", "w"], ["h1"]), node("Add", ["h1", "b"], ["h2"]), *ends[condition]],
        [("i", "INT64", []), ("going", "BOOL", []), ("h", "FLOAT", [2, 8])],
        [("go", "BOOL", []), ("h2", "FLOAT", [2, 8]), ("h1", "FLOAT", [2, 8])],
        [t for t in held if t.name in names],
    )


def looped(tmp_path, body, trips, extra=()):
    node = onnx.helper.make_node("Loop", [trips, "", "x"], ["y", "all"], body=body)
    model = graph([*extra, node], {"x": [2, 8]}, {"y": [2, 8]}, [tensor("b", (8,))])
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("all", onnx.TensorProto.FLOAT, ["n", 2, 8])
    )
    model.graph.initializer.append(scalar("five", 5, "int64"))
    file = str(tmp_path / "loop.onnx")
    onnx.save(model, file)
    return file


def traced(file, device="meta"):
    loaded = costlab.load(file, device=device)
    return costlab.trace(loaded.model, loaded.inputs, device=device)


STEP = 2 * 8 * 8  # MACs of h (2, 8) by a weight (8, 8)
ROWS = [  # the number of rows of x, 2, by its shape
    ("Shape", ["x"], ["shape"], {}),
    ("Constant", [], ["zero"], {"value_int": 0}),
    ("Gather", ["shape", "zero"], ["rows"], {}),
]
SUMMED = [("ReduceSum", ["x"], ["s"], {"keepdims": 0}), ("Cast", ["s"], ["data"], {"to": 7})]
LOOPS = {
    "a constant trip count": ("five", "Identity", (), 5),
    "a trip count by shape": ("rows", "Identity", ROWS, 2),
    # steps 0, 1, 2, 3 and 4, after which 4 < 4 is false
    "a condition on the step": ("", "counter", (), 5),
    "the earlier of both": ("rows", "counter", ROWS, 2),
    "a trip count of the data": ("data", "Identity", SUMMED, None),
    "a condition on the data": ("five", "data", (), None),
}


@pytest.mark.parametrize("trips, condition, before, steps", LOOPS.values(), ids=LOOPS)
def test_a_loop_counts_its_body_step_by_step(trips, condition, before, steps, tmp_path):
    extra = [onnx.helper.make_node(name, i, o, **attrs) for name, i, o, attrs in before]
    file = looped(tmp_path, step(condition), trips, extra)
    trace = traced(file)
    total = costlab.total(trace, strict=True)
    assert total.macs == (steps or 1) * STEP
    assert (total.params, total.weights) == (8 * 8 + 8, 8 * 8)
    assert [trace.tensors[i].shape for i in trace.outputs] == [(2, 8), (steps or 1, 2, 8)]
    bound = (
        "a lower bound: the number of steps of Loop depends on data, so its body is counted once"
    )
    assert (bound in costlab.table(trace).notes) == (steps is None)


@pytest.mark.parametrize("trips, condition, before, steps", LOOPS.values(), ids=LOOPS)
def test_a_loop_computes_what_onnx_says(trips, condition, before, steps, tmp_path):
    """Weights and bias are ones: h becomes 8 h + 1. From x of ones, whose sum is 16, 16 steps; the
    condition fails at once, for 2 x 8 x 9 is over 9."""
    extra = [onnx.helper.make_node(name, i, o, **attrs) for name, i, o, attrs in before]
    file = looped(tmp_path, step(condition), trips, extra)
    y, every = costlab.load(file, device="cpu").model(torch.ones(2, 8))
    steps = steps or {"data": 1, "Identity": 16}[condition]
    want = 1.0
    for _ in range(steps):
        want = 8 * want + 1
    assert every.shape[0] == steps
    torch.testing.assert_close(y, torch.full((2, 8), want))
    torch.testing.assert_close(every[-1], y - 1)


def test_on_the_cpu_a_loop_follows_the_data(tmp_path):
    """The trip count is 0 x + 3, whatever x is."""
    before = [
        onnx.helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        onnx.helper.make_node("Mul", ["s", "s0"], ["none"]),
        onnx.helper.make_node("Add", ["none", "three"], ["sum"]),
        onnx.helper.make_node("Cast", ["sum"], ["data"], to=7),
    ]
    file = looped(tmp_path, step(), "data", before)
    model = onnx.load(file)
    model.graph.initializer.extend([scalar("s0", 0.0, "float32"), scalar("three", 3.0, "float32")])
    onnx.save(model, file)
    trace = traced(file, "cpu")
    assert costlab.total(trace).macs == 3 * STEP
    said = "the number of steps of Loop depends on data; these inputs run it 3 times"
    assert said in costlab.table(trace).notes


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_scan_counts_a_step_for_each_slice(device, reverse, tmp_path):
    """Along axis 1 of (2, 7, 8) there are 7 slices, each by a weight (8, 8) of its own module."""
    node = onnx.helper.make_node
    body = subgraph(
        [
            node("MatMul", ["slice", "w"], ["a"], name="/cell/MatMul"),
            node("Add", ["a", "h"], ["h1"], name="/cell/Add"),
            node("Identity", ["h1"], ["out"]),
        ],
        [("h", "FLOAT", [2, 8]), ("slice", "FLOAT", [2, 8])],
        [("h1", "FLOAT", [2, 8]), ("out", "FLOAT", [2, 8])],
        [tensor("w", (8, 8))],
    )
    scan = node(
        "Scan",
        ["h0", "x"],
        ["h", "y"],
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_output_axes=[1],
        scan_input_directions=[reverse],
        scan_output_directions=[reverse],
    )
    model = graph([scan], {"x": [2, 7, 8]}, {"y": [2, 7, 8]}, [tensor("h0", (2, 8))])
    file = str(tmp_path / "scan.onnx")
    onnx.save(model, file)
    trace = traced(file, device)
    total = costlab.total(trace, strict=True)
    assert (total.macs, total.params) == (7 * STEP, 8 * 8)
    products = [op for op in trace.ops if costlab.cost_of(trace, op).macs]
    assert [(op.module, op.call) for op in products] == [("cell", i) for i in range(7)]
    x = torch.arange(2 * 7 * 8.0).reshape(2, 7, 8)
    sums = 1 + (x.flip(1) if reverse else x).sum(2, keepdim=True).cumsum(1)
    got = costlab.load(file, device="cpu").model(x)
    torch.testing.assert_close(got, (sums.flip(1) if reverse else sums).expand(2, 7, 8))


def branches(condition, tmp_path):
    """`If` between two products and one, whose weights have the same name."""
    node = onnx.helper.make_node
    out = [("out", "FLOAT", [2, 8])]
    twice = [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["a", "w"], ["out"])]
    once = [node("MatMul", ["x", "w"], ["out"])]
    bodies = {
        "then_branch": subgraph(twice, [], out, [tensor("w", (8, 8))]),
        "else_branch": subgraph(once, [], out, [tensor("w", (8, 8))]),
    }
    before = {
        "shape": [("Size", ["x"], ["n"], {}), ("Equal", ["n", "want"], ["go"], {})],
        "data": [
            ("ReduceSum", ["x"], ["s"], {"keepdims": 0}),
            ("Greater", ["s", "zero"], ["go"], {}),
        ],
    }[condition]
    made = [node(name, i, o, **attrs) for name, i, o, attrs in before]
    model = graph([*made, node("If", ["go"], ["y"], **bodies)], {"x": [2, 8]}, {"y": [2, 8]})
    model.graph.initializer.extend([scalar("want", 17, "int64"), scalar("zero", 0.0, "float32")])
    file = str(tmp_path / "if.onnx")
    onnx.save(model, file)
    return file


def test_if_counts_the_branch_that_shapes_decide(tmp_path):
    trace = traced(branches("shape", tmp_path))
    assert costlab.total(trace, strict=True).macs == STEP
    assert not any("depends on data" in note for note in costlab.table(trace).notes)


def test_if_counts_the_then_branch_where_data_decide(tmp_path):
    file = branches("data", tmp_path)
    trace = traced(file)
    assert costlab.total(trace, strict=True).macs == 2 * STEP
    said = "the condition of If depends on data; its then branch is counted"
    assert said in costlab.table(trace).notes
    model = costlab.load(file, device="cpu").model
    assert [model(x * torch.ones(2, 8))[0, 0].item() for x in (1.0, -1.0)] == [64.0, -8.0]


def test_a_loop_builds_a_sequence(tmp_path):
    """TorchScript's exporter collects the outputs of a loop in a sequence: 5 products, joined."""
    node = onnx.helper.make_node
    body = subgraph(
        [
            node("MatMul", ["x", "w"], ["h"]),
            node("SequenceInsert", ["seq", "h"], ["seq1"]),
            node("Identity", ["going"], ["go"]),
        ],
        [("i", "INT64", []), ("going", "BOOL", [])],
        [("go", "BOOL", [])],
        [tensor("w", (8, 8))],
    )
    kind = onnx.helper.make_tensor_sequence_value_info
    body.input.append(kind("seq", onnx.TensorProto.FLOAT, None))
    body.output.append(kind("seq1", onnx.TensorProto.FLOAT, None))
    made = [
        node("SequenceEmpty", [], ["empty"]),
        node("Loop", ["five", "", "empty"], ["all"], body=body),
        node("ConcatFromSequence", ["all"], ["y"], axis=0, new_axis=1),
    ]
    model = graph(made, {"x": [2, 8]}, {"y": [5, 2, 8]}, [scalar("five", 5, "int64")])
    file = str(tmp_path / "sequence.onnx")
    onnx.save(model, file)
    trace = traced(file)
    assert costlab.total(trace, strict=True).macs == 5 * STEP
    assert trace.tensors[trace.outputs[0]].shape == (5, 2, 8)


def test_a_loop_without_an_end_is_one_line(tmp_path, capsys, monkeypatch):
    from costlab.sources._onnx import _control

    monkeypatch.setattr(_control, "_MOST_STEPS", 50)
    file = looped(tmp_path, step(), "")
    assert main(["table", file]) == 2
    err = capsys.readouterr().err
    assert "takes over 50 steps" in err and err.count("\n") == 1


MS = "com.microsoft"
CONV = 36 * 9 * 2 * 4  # MACs of weights (4, 2, 3, 3) on 6 x 6 positions
# operator, attributes, inputs by shape, initializers by shape and dtype, MACs, integer MACs, params
FUSED = {
    # 4 heads of 8; 1 query a sequence sees 7 cached keys and its own: 8 x 32 products, twice
    "MultiHeadAttention after cached keys": (
        ("MultiHeadAttention", {"num_heads": 4}, ["x", "x", "x", "", "", "", "pk", "pv"]),
        {"x": [2, 1, 32], "pk": [2, 4, 7, 8], "pv": [2, 4, 7, 8]},
        {},
        (2 * 2 * 8 * 32, 0, 0),
    ),
    # (batch, tokens, heads, 3, size)
    "MultiHeadAttention of packed values": (
        ("MultiHeadAttention", {"num_heads": 4}, ["x"]),
        {"x": [2, 5, 4, 3, 8]},
        {},
        (2 * 2 * 5 * 5 * 32, 0, 0),
    ),
    # (4 + 2 + 2) heads of 8 in one
    "GroupQueryAttention of packed values after cached keys": (
        ("GroupQueryAttention", {"num_heads": 4, "kv_num_heads": 2}, ["x", "", "", "pk", "pv"]),
        {"x": [2, 1, 64], "pk": [2, 2, 7, 8], "pv": [2, 2, 7, 8]},
        {},
        (2 * 2 * 8 * 32, 0, 0),
    ),
    "Attention after cached keys": (
        ("Attention", {"num_heads": 4}, ["x", "w", "b", "", "past"]),
        {"x": [2, 1, 32], "past": [2, 2, 4, 7, 8]},
        {"w": ((32, 96), "float32"), "b": ((96,), "float32")},
        (2 * 32 * 96 + 2 * 2 * 8 * 32, 0, 32 * 96 + 96),
    ),
    "Attention with a mask of (batch, keys)": (
        ("Attention", {"num_heads": 4}, ["x", "w", "b", "mask"]),
        {"x": [2, 5, 32]},
        {"w": ((32, 96), "float32"), "b": ((96,), "float32"), "mask": ((2, 5), "int32")},
        (10 * 32 * 96 + 2 * 2 * 5 * 5 * 32, 0, 32 * 96 + 96),
    ),
    "FusedConv with an addition and Relu": (
        ("FusedConv", {"activation": "Relu", "kernel_shape": [3, 3]}, ["x", "w", "b", "z"]),
        {"x": [1, 2, 8, 8], "z": [1, 4, 6, 6]},
        {"w": ((4, 2, 3, 3), "float32"), "b": ((4,), "float32")},
        (CONV, 0, 76),
    ),
    "FusedMatMul": (
        ("FusedMatMul", {"transB": 1, "alpha": 0.5}, ["x", "w"]),
        {"x": [5, 8]},
        {"w": ((3, 8), "float32")},
        (5 * 8 * 3, 0, 24),
    ),
    "FusedGemm": (
        ("FusedGemm", {"transB": 1, "activation": "Relu"}, ["x", "w", "b"]),
        {"x": [5, 8]},
        {"w": ((3, 8), "float32"), "b": ((3,), "float32")},
        (5 * 8 * 3, 0, 27),
    ),
    "DynamicQuantizeMatMul": (
        ("DynamicQuantizeMatMul", {}, ["x", "w", "s"]),
        {"x": [5, 8]},
        {"w": ((8, 3), "int8"), "s": ((), "float32")},
        (0, 5 * 8 * 3, 24),
    ),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("made, inputs, held, counts", FUSED.values(), ids=FUSED)
def test_onnxruntime_s_fused_operators(made, inputs, held, counts, device, tmp_path):
    operator, attrs, names = made
    node = onnx.helper.make_node(operator, names, ["y"], domain=MS, **attrs)
    tensors = [tensor(name, *kind) for name, kind in held.items()]
    model = graph([node], inputs, {"y": None}, tensors)
    model.opset_import.append(onnx.helper.make_opsetid(MS, 1))
    file = str(tmp_path / "fused.onnx")
    onnx.save(model, file)
    total = costlab.total(traced(file, device), strict=True)
    assert (total.macs, total.integer_macs, total.params) == counts


# operator, inputs, initializers; q is (2, 4, 6, 6) in 8 bits
QLINEAR = {
    "QLinearAdd": (["q", "s", "z", "q", "s", "z", "s", "z"], {}, (2, 4, 6, 6)),
    "QLinearMul": (["q", "s", "z", "q", "s", "z", "s", "z"], {}, (2, 4, 6, 6)),
    "QLinearSigmoid": (["q", "s", "z", "s", "z"], {}, (2, 4, 6, 6)),
    "QLinearLeakyRelu": (["q", "s", "z", "s", "z"], {}, (2, 4, 6, 6)),
    "QLinearGlobalAveragePool": (["q", "s", "z", "s", "z"], {}, (2, 4, 1, 1)),
    "QLinearAveragePool": (["q", "s", "z", "s", "z"], {"kernel_shape": [3, 3]}, (2, 4, 4, 4)),
    "QLinearConcat": (["s", "z", "q", "s", "z", "q", "s", "z"], {"axis": 1}, (2, 8, 6, 6)),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("operator", QLINEAR)
def test_quantized_operators_keep_eight_bits(operator, device, tmp_path):
    names, attrs, shape = QLINEAR[operator]
    nodes = [
        onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        onnx.helper.make_node(operator, names, ["y"], domain=MS, **attrs),
    ]
    held = [tensor("s", ()), tensor("z", (), "uint8")]
    model = graph(nodes, {"x": [2, 4, 6, 6]}, {"y": None}, held)
    model.opset_import.append(onnx.helper.make_opsetid(MS, 1))
    file = str(tmp_path / "q.onnx")
    onnx.save(model, file)
    trace = traced(file, device)
    total = costlab.total(trace, strict=True)
    assert (total.macs, total.integer_macs, total.params) == (0, 0, 0)
    out = trace.tensors[trace.outputs[0]]
    assert (out.shape, out.dtype) == (shape, "uint8")


@pytest.mark.parametrize("operator", ["QGemm", "MatMulIntegerToFloat"])
def test_products_of_quantized_values_are_integer(operator, tmp_path):
    """int8 weights (8, 3) for 5 rows; QGemm has an int32 bias of 3."""
    names = {
        "QGemm": ["q", "s", "z", "w", "s", "zw", "c"],
        "MatMulIntegerToFloat": ["q", "w", "s", "s", "z", "zw"],
    }[operator]
    nodes = [
        onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        onnx.helper.make_node(operator, names, ["y"], domain=MS),
    ]
    held = {
        "s": ((), "float32"),
        "z": ((), "uint8"),
        "zw": ((), "int8"),
        "w": ((8, 3), "int8"),
        "c": ((3,), "int32"),
    }
    used = [tensor(n, *kind) for n, kind in held.items() if n in {*names, "s", "z"}]
    model = graph(nodes, {"x": [5, 8]}, {"y": None}, used)
    model.opset_import.append(onnx.helper.make_opsetid(MS, 1))
    file = str(tmp_path / "q.onnx")
    onnx.save(model, file)
    total = costlab.total(traced(file), strict=True)
    assert (total.macs, total.integer_macs, total.weights) == (0, 5 * 8 * 3, 24)

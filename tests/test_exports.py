"""Costs for other tools: what the files hold, that the tools' own readers take them, and what
cannot be exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import costlab
from costlab.cli import main
from costlab.render.exports import EXPORTS, VALUES

MEASUREMENTS = Path(__file__).parent.parent / "reports" / "measurements"
GOOGLENET = MEASUREMENTS / "googlenet.h100.fp32.nchw.1x3x224x224.trace"


class Net(nn.Module):
    """Convolution: 8*6*6 outputs of 3*3*3 MACs each: 7776. Linear: 8*10 = 80."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))


CONV, HEAD = 8 * 6 * 6 * 27, 80


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A saved program of torch.export."""
    path = tmp_path_factory.mktemp("pt2") / "net.pt2"
    torch.export.save(torch.export.export(Net().eval(), (torch.ones(1, 3, 8, 8),)), path)
    return path


@pytest.fixture
def graph(tmp_path):
    """An ONNX file: a convolution with a name, and a ReLU without one."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weight = numpy_helper.from_array(torch.ones(8, 3, 3, 3).numpy(), "conv.weight")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 8, 6, 6])
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight"], ["h"], name="/conv/Conv"),
        helper.make_node("Relu", ["h"], ["y"]),
    ]
    made = helper.make_graph(nodes, "main", [x], [y], [weight])
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


@pytest.fixture(scope="module")
def events():
    return json.loads(EXPORTS["perfetto"](costlab.Trace.load(GOOGLENET), ""))


def slices(events, category):
    return [e for e in events if e["ph"] == "X" and e["cat"] == category]


def end(event):
    return round(event["ts"] + event["dur"], 3)


def test_a_chrome_trace_has_the_measured_time_of_every_operation(events):
    trace = costlab.Trace.load(GOOGLENET)
    took = [op.seconds for op in trace.measured.ops if op.seconds]
    found = slices(events, "operation")
    assert len(found) == len(took)
    # each starts where the one before ends, in whole nanoseconds
    assert [e["ts"] for e in found[1:]] == [end(e) for e in found[:-1]]
    assert [e["dur"] for e in found] == pytest.approx([1e6 * t for t in took], abs=1.1e-3)
    assert sum(e["dur"] for e in found) == pytest.approx(1e6 * sum(took), abs=1e-3)
    assert sum(e["args"]["share of the time (%)"] for e in found) == pytest.approx(100, abs=0.1)


def test_operations_lie_inside_their_modules(events):
    (model,) = slices(events, "model")
    modules = slices(events, "module")
    assert model["name"] == "googlenet"
    for operation in slices(events, "operation"):
        path = operation["args"]["module"]
        around = [
            m["name"] for m in modules if m["ts"] <= operation["ts"] and end(operation) <= end(m)
        ]
        parts = path.split(".")
        assert around == [".".join(parts[: i + 1]) for i in range(len(parts))]
        assert model["ts"] <= operation["ts"] and end(operation) <= end(model)


NUMBER, TEXT = (int, float), str
FIELDS = {  # of the Trace Event Format, by phase: complete events and metadata
    "X": {"name": TEXT, "cat": TEXT, "ts": NUMBER, "dur": NUMBER, "pid": int, "tid": int},
    "M": {"name": TEXT, "pid": int, "tid": int},
}


def test_every_event_is_one_of_the_trace_event_format(events):
    """Fields with their types, times in order, and slices of a thread that nest."""
    for event in events:
        types = FIELDS[event["ph"]]
        assert event.keys() == {"ph", "args", *types}
        assert all(isinstance(event[key], kind) for key, kind in types.items())
        assert json.dumps(event["args"], allow_nan=False)
    assert {e["name"] for e in events if e["ph"] == "M"} == {"process_name", "thread_name"}
    opened = []
    complete = [e for e in events if e["ph"] == "X"]
    assert [e["ts"] for e in complete] == sorted(e["ts"] for e in complete)
    for event in complete:
        assert event["dur"] > 0
        while opened and end(opened[-1]) <= event["ts"]:
            opened.pop()
        assert not opened or end(event) <= end(opened[-1])
        opened.append(event)


def test_a_slice_says_what_it_does_and_what_it_reached(events):
    trace = costlab.Trace.load(GOOGLENET)
    whole = slices(events, "model")[0]["args"]
    assert whole["MACs"] == costlab.total(trace).macs == 1_582_671_872
    assert whole["bytes"] == sum(op.bytes for op in trace.measured.ops if op.seconds)
    first = slices(events, "operation")[0]
    # 7x7 on 3 channels, 64 x 112 x 112 outputs; two FLOPs a MAC, and one addition of the bias each
    assert first["args"]["MACs"] == 49 * 3 * 64 * 112 * 112
    flops = (2 * 49 * 3 + 1) * 64 * 112 * 112
    assert first["args"]["FLOPs"] == flops
    seconds = trace.measured.ops[0].seconds
    assert first["args"]["achieved FLOP/s"] == pytest.approx(flops / seconds)


def test_node_data_is_keyed_by_the_nodes_of_the_exported_program(program):
    trace = costlab.trace(str(program), device="meta")
    data = json.loads(EXPORTS["model-explorer"](trace, "macs"))
    results = {node: found["value"] for node, found in data["graph"]["results"].items()}
    assert results == {"conv2d": CONV, "relu": 0, "mean": 0, "linear": HEAD}


@pytest.mark.parametrize("value", [v for v in VALUES if v != "time"])
def test_model_explorer_takes_the_node_data_of_its_own_graph(program, value, tmp_path):
    builder = pytest.importorskip("model_explorer.node_data_builder")
    adapter = pytest.importorskip("model_explorer.pytorch_exported_program_adapter_impl")
    trace = costlab.trace(str(program), device="meta")
    data = json.loads(EXPORTS["model-explorer"](trace, value))
    found = adapter.PytorchExportedProgramAdapterImpl(
        torch.export.load(program), {"const_element_count_limit": 16}
    ).convert()
    (shown,) = found["graphs"]
    assert list(data) == [shown.id]
    read = data[shown.id]
    assert read["results"].keys() <= {node.id for node in shown.nodes}
    results = {k: builder.NodeDataResult(**v) for k, v in read["results"].items()}
    gradient = [builder.GradientItem(**item) for item in read["gradient"]]
    again = builder.GraphNodeData(results, name=read["name"], gradient=gradient)
    written = json.loads(builder.ModelNodeData({shown.id: again}).to_json_string())
    assert written[shown.id]["results"] == read["results"]


def test_node_data_of_an_onnx_file_has_the_ids_of_the_onnx_adapter(graph):
    trace = costlab.trace(str(graph), device="meta")
    data = json.loads(EXPORTS["model-explorer"](trace, "macs"))
    # the ReLU has no name to be found by
    assert data == {"main": {**data["main"], "results": {"/conv/Conv": {"value": CONV}}}}


def test_the_onnx_adapter_shows_these_nodes(graph):
    adapter = pytest.importorskip("model_explorer_onnx.main")
    trace = costlab.trace(str(graph), device="meta")
    (shown,) = adapter.ONNXAdapter().convert(str(graph), {})["graphs"]
    data = json.loads(EXPORTS["model-explorer"](trace, "macs"))
    assert list(data) == [shown.id]
    assert data[shown.id]["results"].keys() <= {node.id for node in shown.nodes}


def graph_of(trace, value="macs"):
    data = json.loads(EXPORTS["model-explorer-graph"](trace, value))
    (graph,) = data["graphs"]
    return data["label"], graph, {node["id"]: node for node in graph["nodes"]}


def attributes(node):
    return {attribute["key"]: attribute["value"] for attribute in node["attrs"]}


def test_the_graph_of_any_model_has_its_operations_in_their_modules_with_costs():
    label, graph, nodes = graph_of(costlab.trace(Net(), torch.ones(1, 3, 8, 8)))
    assert label == "Net" and graph["id"] == "forward"
    shown = [(n["label"], n["namespace"]) for n in graph["nodes"]]
    assert shown == [
        ("input 0", ""),
        ("convolution", "conv"),
        ("relu", ""),
        ("mean", ""),
        ("t", "head"),  # of the weights, which come from no operation
        ("addmm", "head"),
    ]
    edges = {
        (e["sourceNodeId"], n["id"]) for n in graph["nodes"] for e in n.get("incomingEdges", ())
    }
    assert edges == {("input 0", "0"), ("0", "1"), ("1", "2"), ("2", "4"), ("3", "4")}
    conv = attributes(nodes["0"])
    assert (conv["MACs"], conv["conv.weight"]) == (str(CONV), "float32[8,3,3,3]")
    assert conv["source"].startswith("tests/test_exports.py:")
    (output,) = nodes["0"]["outputsMetadata"]
    assert output["attrs"] == [{"key": "tensor_shape", "value": "float32[1,8,6,6]"}]
    groups = {name: facts["MACs"] for name, facts in graph["groupNodeAttributes"].items()}
    assert groups == {"": str(CONV + HEAD), "conv": str(CONV), "head": str(HEAD)}
    # from white for none to full for the largest
    colours = {i: nodes[i]["style"]["backgroundColor"] for i in ("0", "1")}
    assert colours == {"0": "#d1495b", "1": "#ffffff"}


def test_the_graph_of_a_measured_trace_has_times_and_adds_up():
    trace = costlab.Trace.load(GOOGLENET)
    _, graph, nodes = graph_of(trace, "time")
    total = costlab.total(trace)
    operations = [attributes(n) for n in graph["nodes"] if "attrs" in n]
    assert sum(int(a["MACs"]) for a in operations) == total.macs
    assert graph["groupNodeAttributes"][""]["MACs"] == str(total.macs)
    took = sum(op.seconds for op in trace.measured.ops if op.of >= 0)
    assert sum(float(a["time (us)"]) for a in operations) == pytest.approx(1e6 * took)
    # every edge leaves an output of a node that comes before
    seen = {}
    for node in graph["nodes"]:
        for edge in node.get("incomingEdges", ()):
            assert int(edge["sourceNodeOutputId"]) < seen[edge["sourceNodeId"]]
        seen[node["id"]] = len(node["outputsMetadata"])
    assert len(seen) == len(graph["nodes"]) == len(nodes)


def test_model_explorer_takes_the_graph():
    """Its own classes have every field."""
    builder = pytest.importorskip("model_explorer.graph_builder")
    _, graph, _ = graph_of(costlab.trace(Net(), torch.ones(1, 3, 8, 8)))
    builder.Graph(**graph)
    for node in graph["nodes"]:
        read = builder.GraphNode(**node)
        builder.GraphNodeStyle(**node.get("style", {}))
        edges = [builder.IncomingEdge(**edge) for edge in read.incomingEdges]
        metadata = [builder.MetadataItem(**item) for item in read.outputsMetadata]
        attrs = [builder.KeyValue(**attribute) for attribute in read.attrs]
        assert len(edges) <= 2 and len(metadata) == 1 and (attrs or node["id"] == "input 0")


def test_netrons_copy_has_the_costs_of_its_nodes_and_nothing_else(graph, tmp_path):
    onnx = pytest.importorskip("onnx")
    costlab.export(str(graph), tmp_path / "costs.onnx", to="netron")
    model, before = onnx.load(tmp_path / "costs.onnx"), onnx.load(graph)
    onnx.checker.check_model(model)
    conv, relu = ({m.key: m.value for m in n.metadata_props} for n in model.graph.node)
    assert conv["costlab.macs"] == str(CONV) and conv["costlab.flops"] == str(2 * CONV)
    # float32: the input, the weights, the outputs
    assert conv["costlab.bytes"] == str(4 * (3 * 8 * 8 + 8 * 27 + 8 * 6 * 6))
    assert relu["costlab.macs"] == "0" and "costlab.microseconds" not in relu
    for node in model.graph.node:
        del node.metadata_props[:]
    assert model == before


def test_measured_time_is_a_value_of_a_node(program):
    trace = costlab.measure(costlab.load(str(program), device="cpu"), device="cpu", blocks=2)
    data = json.loads(EXPORTS["model-explorer"](trace, "time"))
    times = {node: found["value"] for node, found in data["graph"]["results"].items()}
    seconds = sum(op.seconds for op in trace.measured.ops if op.of >= 0)
    assert sum(times.values()) == pytest.approx(1e6 * seconds) and times["conv2d"] > 0


def test_the_command_writes_the_file(tmp_path, capsys):
    assert main(["export", str(GOOGLENET), "--to", "perfetto", "-o", f"{tmp_path}/run.json"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/run.json: googlenet for perfetto\n"
    assert json.loads((tmp_path / "run.json").read_text())[0]["ph"] == "M"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["googlenet", "--to", "perfetto"], "googlenet was not measured"),
        (
            ["googlenet", "--to", "model-explorer"],
            "or use model-explorer-graph, which takes any model",
        ),
        (["googlenet", "--to", "model-explorer-graph", "--value", "time"], "was not measured"),
        (["googlenet", "--to", "netron"], "googlenet is not an ONNX file"),
        (["PROGRAM", "--to", "netron"], "net.pt2 is not an ONNX file"),
        (["PROGRAM", "--to", "model-explorer", "--value", "time"], "net.pt2 was not measured"),
        (["googlenet", "--to", "visio"], "invalid choice: 'visio'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(program, options, said, tmp_path, capsys):
    command = ["export", *(str(program) if o == "PROGRAM" else o for o in options)]
    out = tmp_path / ("out.onnx" if "netron" in options else "out.json")
    try:
        code = main([*command, "-o", str(out)])
    except SystemExit as stopped:
        code = stopped.code
    error = capsys.readouterr().err
    assert code == 2 and said in error and error.count("\n") == 1
    assert not out.exists()


def test_a_trace_of_an_onnx_file_that_is_gone_says_so(graph):
    trace = costlab.trace(str(graph), device="meta")
    graph.unlink()
    for name in ("netron", "model-explorer"):
        with pytest.raises(ValueError, match="does not exist"):
            EXPORTS[name](trace, "macs")

"""Lines of code of operations: which line is recorded, how it is named, kept and shown."""

from __future__ import annotations

import gzip
import json
import os

import pytest
import torch
from torch import nn

import costlab
from costlab.cli import main
from costlab.graph import source_line
from costlab.trace.origins import shared_path, source_of_text

NET = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.conv(x)
        y = self.norm(y)
        return torch.relu(x + y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.block = Block(8)
        self.blocks = nn.ModuleList([Block(8), Block(8)])
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        x = self.block(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


def build():
    return Net()
"""
OWN_DERIVATIVE = """
import torch
from torch import nn


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return Double.apply(self.layer(x))
"""
# lines of NET by what they say
LINE = {text.strip(): i for i, text in enumerate(NET.splitlines(), 1)}
STEM, BLOCK = LINE["x = self.stem(x)"], LINE["x = self.block(x)"]
LOOP, HEAD = LINE["x = block(x)"], LINE["return self.head(x.mean((2, 3)))"]
CONV, NORM = LINE["y = self.conv(x)"], LINE["y = self.norm(y)"]
SUM = LINE["return torch.relu(x + y)"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder of code, in which the command runs, with `nets/backbone.py`."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "backbone.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def traced(device="meta", **options):
    return costlab.trace("nets/backbone.py:build", ["1x3x16x16"], device=device, **options)


def lines(trace):
    """The numbers of the lines that ran each operation, outermost first."""
    assert all(s.file == "nets/backbone.py" for op in trace.ops for s in op.source.stack)
    return [tuple(s.line for s in op.source.stack) for op in trace.ops]


def of_block(*callers):
    """A convolution, a norm, an addition and a ReLU."""
    return [(*callers, line) for line in (CONV, NORM, SUM, SUM)]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_each_operation_knows_the_lines_that_ran_it(project, device):
    found = lines(traced(device))
    assert found[:13] == [(STEM,), *of_block(BLOCK), *of_block(LOOP), *of_block(LOOP)]
    assert set(found[13:]) == {(HEAD,)}


def test_a_gradient_has_the_line_of_its_operation(project):
    trace = traced("meta", backward=True)
    gradients = [op for op in trace.backward if op.of >= 0]
    assert {op.source.line for op in gradients} == {STEM, CONV, NORM, SUM, HEAD}
    assert all(op.source is trace.ops[op.of].source for op in gradients)


def test_a_derivative_of_the_users_own_has_its_own_line(project):
    (project / "own.py").write_text(OWN_DERIVATIVE)
    trace = costlab.trace("own.py:Net", ["2x3"], device="cpu", backward=True)
    own = OWN_DERIVATIVE.splitlines().index("        return 2 * grad") + 1
    assert own in {op.source.line for op in trace.backward if op.source}


def test_a_models_library_is_named_from_its_package():
    pytest.importorskip("torchvision")
    trace = costlab.trace("torchvision:resnet18", device="meta")
    assert {op.source.file for op in trace.ops} == {"torchvision/models/resnet.py"}
    # conv1, then bn1, each a line of ResNet._forward_impl, which forward calls
    stem, norm = (op.source for op in trace.ops[:2])
    assert norm.line == stem.line + 1 and stem.caller is norm.caller is not None


def test_the_users_line_comes_before_those_of_a_library(project):
    pytest.importorskip("timm")
    (project / "head.py").write_text(
        "from timm.layers import Mlp\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.mlp = Mlp(4)\n\n"
        "    def forward(self, x):\n        return self.mlp(x)\n"
    )
    trace = costlab.trace("head.py:Net", ["2x4"], device="meta")
    assert {str(op.source) for op in trace.ops} == {"head.py:11"}


def test_a_model_that_runs_no_code_of_its_own_has_no_lines(project):
    trace = costlab.trace(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.ones(1, 3))
    assert [op.source for op in trace.ops] == [None] * len(trace.ops)
    table = costlab.table(trace, columns=["source"])
    assert {row.cells["source"] for row in table.rows} == {""}
    assert any("no lines of code" in note for note in table.notes)


def test_a_program_of_torch_export_has_the_lines_and_nodes_it_was_exported_with(project):
    loaded = costlab.load("nets/backbone.py:build", ["1x3x16x16"], device="cpu")
    program = torch.export.export(loaded.model.eval(), tuple(loaded.inputs))
    torch.export.save(program, project / "net.pt2")
    trace = costlab.trace("net.pt2", device="meta")
    convolutions = [op for op in trace.ops if "convolution" in op.name]
    assert [op.node for op in convolutions] == ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3"]
    expected = [(STEM,), (BLOCK, CONV), (LOOP, CONV), (LOOP, CONV)]
    assert [tuple(s.line for s in op.source.stack) for op in convolutions] == expected


def test_an_onnx_file_has_the_lines_and_nodes_it_was_exported_with(project):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    stack = f'File "{project}/nets/backbone.py", line {STEM}, in forward\n    x = self.stem(x)'
    node = helper.make_node("Relu", ["x"], ["y"], name="node_relu")
    node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=stack)
    x, y = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [2]) for n in "xy")
    graph = helper.make_graph([node], "g", [x], [y])
    onnx.save(helper.make_model(graph), project / "net.onnx")
    (op,) = costlab.trace("net.onnx", device="meta").ops
    assert (str(op.source), op.node) == (f"nets/backbone.py:{STEM}", "node_relu")


@pytest.mark.parametrize(
    ("marker", "file", "name"),
    [
        ("work/.git", "work/nets/backbone.py", "nets/backbone.py"),
        ("work/pyproject.toml", "work/src/nets/backbone.py", "src/nets/backbone.py"),
        ("work/nets/__init__.py", "work/nets/backbone.py", "nets/backbone.py"),
        ("work/other.py", "work/backbone.py", "backbone.py"),
        (".git", ".venv/lib/python3.12/site-packages/timm/layers/mlp.py", "timm/layers/mlp.py"),
    ],
)
def test_paths_start_at_the_project_or_the_package(tmp_path, monkeypatch, marker, file, name):
    (tmp_path / marker).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / marker).touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shared_path(str(tmp_path / file)) == name


def test_no_path_names_a_home_folder(tmp_path, monkeypatch):
    home = tmp_path / "alice"
    (home / "net").mkdir(parents=True)
    (tmp_path / ".git").touch()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    assert shared_path(str(home / "net" / "backbone.py")) == "backbone.py"


def test_frames_of_torch_and_python_are_no_lines_of_a_model():
    files = ["<string>", nn.__file__, os.__file__, costlab.__file__]
    assert source_of_text("".join(f'File "{f}", line 3, in f\n' for f in files)) is None
    assert source_of_text(None) is None


def test_a_trace_file_keeps_lines_once_and_old_files_have_none(project):
    trace = traced()
    trace.save("net.trace")
    again = costlab.Trace.load("net.trace")
    assert again == trace and lines(again) == lines(trace)
    doc = json.loads(gzip.decompress((project / "net.trace").read_bytes()))
    # 4 lines of Net, and those of Block called from two of them
    assert doc["sources"]["files"] == ["nets/backbone.py"]
    assert len(doc["sources"]["lines"]) == 4 + 2 * 3 and "nodes" not in doc
    assert str(project) not in json.dumps(doc)
    del doc["sources"]
    (project / "old.trace").write_bytes(gzip.compress(json.dumps(doc).encode()))
    old = costlab.Trace.load("old.trace")
    assert old == trace and {op.source for op in old.ops} == {None}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["ops"].pop(),
        lambda s: s["ops"].__setitem__(0, 99),
        lambda s: s["lines"].__setitem__(0, [7, 1, -1]),
        lambda s: s["lines"].__setitem__(0, [0, 1, 5]),
        lambda s: s["lines"].__setitem__(0, [0, "one", -1]),
        lambda s: s["files"].__setitem__(0, 3),
    ],
)
def test_damaged_lines_are_refused(project, change):
    traced().save("net.trace")
    doc = json.loads(gzip.decompress((project / "net.trace").read_bytes()))
    change(doc["sources"])
    (project / "bad.trace").write_bytes(gzip.compress(json.dumps(doc).encode()))
    with pytest.raises(costlab.TraceFileError, match="damaged"):
        costlab.Trace.load("bad.trace")


def test_a_row_shows_the_line_that_runs_it_alone(project):
    trace = traced()
    place = "nets/backbone.py:{}".format
    table = costlab.table(trace, style="layers", depth=1, columns=["source"])
    found = {row.path: row.cells["source"] for row in table.rows}
    # each of `blocks` is run by the line of the loop, which runs nothing else
    expected = {"stem": STEM, "block": BLOCK, "blocks": LOOP, "head": HEAD}
    assert {path: found[path] for path in expected} == {p: place(n) for p, n in expected.items()}
    (second,) = (op for op in trace.ops if op.module == "blocks.1.conv")
    # the loop's line runs blocks.0 too, so that the layer's own line stands for it
    assert str(source_line(trace, [second])) == place(CONV)


def test_the_column_is_text_in_every_format(project, capsys):
    options = ["--style", "layers", "--depth", "1", "--columns", "source"]
    for name in ("csv", "md", "html", "text"):
        command = ["table", "nets/backbone.py:build", "--input", "1x3x16x16", *options]
        assert main([*command, "--format", name]) == 0
        assert f"nets/backbone.py:{BLOCK}" in capsys.readouterr().out.replace("\\", "")

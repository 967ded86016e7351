"""ONNX files that no exporter wrote: each is traced right, or refused in one line, in little time
and memory, and no file is read but those beside it."""

import os
import resource
import sys

import pytest

import costlab
from costlab.cli import main
from costlab.trace import TraceError
from test_hostile_files import TooLateError, in_time  # noqa: F401  (a fixture)

onnx = pytest.importorskip("onnx")
import mutations  # noqa: E402  (they import onnx)
import onnx_mutations  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
MOST_BYTES = 1.5 * 2**30  # that the process may grow by, with all mutants
MANY = {"image": 500, "tokens": 500, "control": 500}
_opened = []
_watches = []


def _audit(event, args):
    if _watches and event == "open" and isinstance(args[0], str):
        _opened.append(args[0])


@pytest.fixture
def folder(tmp_path):
    """The folder of a file, with a secret outside of it and a link to that inside."""
    (tmp_path / "secret.bin").write_bytes(bytes(432))
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "w.bin").write_bytes(bytes(432))
    (inside / "link.bin").symlink_to(tmp_path / "secret.bin")
    if not _watches:
        sys.addaudithook(_audit)
    _watches.append(inside)
    _opened.clear()
    yield inside
    _watches.pop()


def peak():
    """Bytes that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def traced(path):
    """Whether a file is traced, and every output of the trace made."""
    try:
        trace = costlab.trace(costlab.load(str(path)))
    except (costlab.SourceError, TraceError) as e:
        assert str(e).isprintable() and len(str(e)) < 700, f"no short line: {e!r:.2000}"
        return False
    trace.save(path.with_suffix(".trace"))
    again = costlab.Trace.load(path.with_suffix(".trace"))
    assert repr(again.ops) == repr(trace.ops)  # an attribute may be nan
    assert again.tensors == trace.tensors
    for name, output in mutations.outputs(trace):
        try:
            text = output()
        except TraceError:
            continue  # one line, as for a model that has no such output
        if isinstance(text, str):
            assert text.encode(), name
    return True


def run(name, numbers, folder, in_time):  # noqa: F811
    before, found = peak(), []
    for n in numbers:
        in_time()
        path = folder / "mutant.onnx"
        path.write_bytes(onnx_mutations.mutant(name, n))
        try:
            found.append(traced(path))
        except TooLateError:
            pytest.fail(f"mutant {n} of {name} takes too long")
        except Exception as e:
            raise AssertionError(f"mutant {n} of {name}") from e
        assert peak() - before < MOST_BYTES, f"mutant {n} of {name} takes the memory"
    outside = [p for p in _opened if p.endswith("secret.bin") or p.startswith("/etc/")]
    assert not outside
    assert 0 < sum(found) < len(found)


@pytest.mark.parametrize("name", onnx_mutations.SEEDS)
def test_mutants(name, folder, in_time):  # noqa: F811
    run(name, range(9), folder, in_time)


@pytest.mark.slow
@pytest.mark.parametrize("name", onnx_mutations.SEEDS)
def test_thousands_of_mutants(name, folder, in_time):  # noqa: F811
    """2,100 in all."""
    run(name, range(9, 9 + MANY.get(name, 150)), folder, in_time)


# what a seed costs as it was written: MACs and params
SEEDS = {
    # 64 places x 4 x 3 x 9, 16 places x 4 x 2 x 9, 4 x 5; norms have 4 + 4 params
    "image": (64 * 108 + 16 * 72 + 20, 108 + 72 + 8 + 25),
    # 10 tokens x 8 x 8, and two products of 2 x 5 x 5 x 8
    "tokens": (640 + 800, 80 + 16 + 64),
    # 10 steps of 4 gates x 4 x (8 + 4), of 3 gates and of one x 4 x (4 + 4)
    "recurrent": (10 * (192 + 96 + 32), 192 + 32 + 96 + 32),
    "control": (3 * 2 * 64, 64),
    "quantized": (3 * 6, 72 + 144 * 6 + 18),
    "functions": (2 * 2 * 64, 64),
}


@pytest.mark.parametrize("name", SEEDS)
def test_what_a_seed_costs(name, folder):
    path = folder / "seed.onnx"
    onnx.save(onnx_mutations.SEEDS[name](), path)
    total = costlab.total(costlab.trace(costlab.load(str(path))))
    assert (total.macs, total.params) == SEEDS[name]


def calls(times):
    """Functions of which each calls the next one twice: 2^times operators."""
    made = onnx_mutations.functions()
    helper = onnx.helper
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for i in range(times):
        pair = [("a", "b"), ("b", "c")]
        nodes = [helper.make_node(f"F{i + 1}", [x], [y], domain="own") for x, y in pair]
        made.functions.append(helper.make_function("own", f"F{i}", ["a"], ["c"], nodes, opsets))
    made.graph.node.append(helper.make_node("F0", ["y"], ["end"], domain="own"))
    return made


def calling_itself():
    made = onnx_mutations.functions()
    made.functions[1].node[0].op_type = "Outer"
    return made


def changed(name, change):
    made = onnx_mutations.SEEDS[name]()
    change(made.graph)
    return made


def tensor(graph, name):
    return next(t for t in graph.initializer if t.name == name)


def twice(graph):
    graph.node[3].output[0] = "a"


def cycle(graph):
    graph.node[0].input[0] = "y"


def dims(name, *values):
    def change(graph):
        del tensor(graph, name).dims[:]
        tensor(graph, name).dims.extend(values)

    return change


def put(name, values):
    """Another constant."""

    def change(graph):
        kept = onnx_mutations.stated(name, values, tensor_kind(graph, name))
        tensor(graph, name).CopyFrom(kept)

    return change


def tensor_kind(graph, name):
    return onnx.helper.tensor_dtype_to_np_dtype(tensor(graph, name).data_type).name


def endless(graph):
    """A body whose loop is in a loop of 9,000 steps."""
    body = graph.node[0].attribute[0].g
    inner = onnx.NodeProto()
    inner.CopyFrom(graph.node[0])
    inner.input[2] = "h1"
    inner.output[:] = ["h2", "all2"]
    tensor(graph, "trips").CopyFrom(onnx_mutations.stated("trips", 9000))
    body.initializer[1].CopyFrom(onnx_mutations.stated("four", 9000))
    inner.attribute[0].g.initializer[1].CopyFrom(onnx_mutations.stated("four", 9000))
    body.node.append(inner)


def deep(graph):
    graph.node[0].name = "/a" * 2000 + "/Conv"


# what is wrong with a file, and what the line says
WRONG = {
    "a function that calls itself": (calling_itself, "function Outer calls itself"),
    "functions without an end": (
        lambda: calls(40),
        "its functions stand for more than 250,000 operators",
    ),
    "a value that is made twice": (
        lambda: changed("image", twice),
        "the value 'a' is made twice",
    ),
    "a cycle": (lambda: changed("image", cycle), "nothing before it makes the value 'y'"),
    "no data for its dimensions": (
        lambda: changed("image", dims("c.weight", 4, 3, 3, 3000)),
        "the data of tensor 'c.weight' are not those of 4x3x3x3000 elements",
    ),
    "huge dimensions": (
        lambda: changed("image", dims("c.weight", 2**40, 2**40)),
        "tensor 'c.weight' has dimensions that no tensor has",
    ),
    "a negative dimension": (
        lambda: changed("image", dims("c.weight", -4, 3, 3, 3)),
        "tensor 'c.weight' has dimensions that no tensor has",
    ),
    "a constant of terabytes": (
        lambda: changed("tokens", put("twice", [2**20, 2**20])),
        "constants take more than 1 GiB",
    ),
    "loops in a loop": (
        lambda: changed("control", endless),
        "more than 250,000 operators run; each is traced",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case, folder, capsys, monkeypatch):
    from costlab.sources._onnx import _run

    if case == "loops in a loop":
        monkeypatch.setattr(_run, "MOST_OPERATORS", 1000)
    make, says = WRONG[case]
    path = folder / "wrong.onnx"
    path.write_bytes(make().SerializeToString())
    assert main(["table", str(path)]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    assert says.replace("250,000", "1,000" if "run;" in says else "250,000") in err


def test_a_scope_that_is_nested_deeper_than_modules_can_be(folder):
    """Its operator is in no module; what it costs is the same."""
    path = folder / "deep.onnx"
    onnx.save(changed("image", deep), path)
    assert costlab.total(costlab.trace(costlab.load(str(path)))).macs == SEEDS["image"][0]


def test_external_data_that_are_more_than_a_tensor(folder):
    """A file of a tebibyte, without a byte on the disk, is not read into memory."""
    path = folder / "net.onnx"
    onnx.save(onnx_mutations.resampled(), path)
    os.truncate(folder / "w.bin", 2**40)
    with pytest.raises(costlab.SourceError, match="are more than tensor w holds"):
        costlab.load(str(path), device="cpu")


# operators on a dimension of 2^33, whose places take 64 GiB as integers of 8 bytes
LONG = {
    "Concat": (["x", "x"], 2**34, {"axis": 0}),
    "GlobalAveragePool": (["x"], 1, {}),
    "AveragePool": (["x"], 2**33 - 2, {"kernel_shape": [3]}),
    "Pad": (["x", "around"], 2**33 + 2, {"mode": "edge"}),
    "Tile": (["x", "twice"], 2**34, {}),
}


@pytest.mark.parametrize("operator", LONG)
def test_a_dimension_of_billions_takes_no_memory(operator, folder):
    """Its places are not looked at one by one: neither when the trace is loaded nor in a table."""
    inputs, length, attributes = LONG[operator]
    shape = [1, 1, 2**33] if operator != "Concat" else [2**33]
    nodes = [onnx.helper.make_node(operator, inputs, ["y"], **attributes)]
    tensors = [onnx_mutations.stated("around", [0, 0, 1, 0, 0, 1])]
    tensors.append(onnx_mutations.stated("twice", [1, 1, 2]))
    sides = [onnx.helper.make_tensor_value_info(n, 1, s) for n, s in (("x", shape), ("y", None))]
    onnx.save(onnx_mutations.model(nodes, sides[:1], sides[1:], tensors), folder / "long.onnx")
    before = peak()
    assert traced(folder / "long.onnx")
    trace = costlab.Trace.load(folder / "long.trace")
    assert trace.tensors[trace.outputs[0]].shape[-1] == length
    assert peak() - before < 2**28

"""ONNX models of every kind of graph that the reader knows, and their mutations by a seed: of
fields of their messages, of what fields mean together, and of bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from mutations import NASTY_NAMES

import onnx
from costlab.sources._onnx import OPERATORS
from onnx import TensorProto, helper, numpy_helper

Float, Int, Bool = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node = helper.make_node
value = helper.make_tensor_value_info


def held(name: str, shape: Sequence[int], kind: str = "float32") -> TensorProto:
    """A tensor of a few different values, kept as bytes."""
    n = int(np.prod(shape))
    return numpy_helper.from_array((np.arange(n) % 5 - 2).astype(kind).reshape(shape), name)


def stated(name: str, values: Any, kind: str = "int64") -> TensorProto:
    return numpy_helper.from_array(np.array(values, kind), name)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    tensors: Sequence[TensorProto],
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    domains.append(helper.make_opsetid("own", 1))
    return helper.make_model(
        graph, opset_imports=domains, functions=list(functions), ir_version=8, producer_name="test"
    )


def image() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["x", "c.weight"], ["a"], "/c/Conv", kernel_shape=[3, 3], pads=[1] * 4),
        node("BatchNormalization", ["a", "s", "b", "m", "v"], ["n"], "/bn/BatchNormalization"),
        node("Relu", ["n"], ["r"], "/act/Relu"),
        node("MaxPool", ["r"], ["p"], "/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p", "d.weight"], ["d"], "/d/Conv", group=2, auto_pad="SAME_UPPER"),
        node("Add", ["d", "p"], ["e"], "/Add"),
        node("GlobalAveragePool", ["e"], ["f"], "/head/GlobalAveragePool"),
        node("Flatten", ["f"], ["h"], "/head/Flatten"),
        node("Gemm", ["h", "fc.weight", "fc.bias"], ["y"], "/head/fc/Gemm", transB=1),
    ]
    tensors = [held("c.weight", (4, 3, 3, 3)), held("d.weight", (4, 2, 3, 3))]
    tensors += [held(name, (4,)) for name in "sbmv"]
    tensors += [held("fc.weight", (5, 4)), held("fc.bias", (5,))]
    return model(nodes, [value("x", Float, [1, 3, 8, 8])], [value("y", Float, [1, 5])], tensors)


def tokens() -> onnx.ModelProto:
    nodes = [
        node("Gather", ["table", "x"], ["a"], "/emb/Gather"),
        node("Shape", ["a"], ["shape"]),
        node("Gather", ["shape", "one"], ["count"]),
        node("Unsqueeze", ["count", "zeros"], ["count1"]),
        node("ConstantOfShape", ["count1"], ["ones"], value=stated("", [1.0], "float32")),
        node("Range", ["zero", "count", "one"], ["places"]),
        node("Concat", ["minus", "count1", "heads"], ["split"], axis=0),
        node("LayerNormalization", ["a", "g", "h"], ["n"], "/ln/LayerNormalization", axis=-1),
        node("MatMul", ["n", "q"], ["q1"], "/attn/q/MatMul"),
        node("Reshape", ["q1", "split"], ["q2"], "/attn/Reshape"),
        node("Transpose", ["q2"], ["k"], "/attn/Transpose", perm=[0, 2, 1]),
        node("MatMul", ["q2", "k"], ["s"], "/attn/MatMul"),
        node("Where", ["mask", "s", "low"], ["w"], "/attn/Where"),
        node("Softmax", ["w"], ["p"], "/attn/Softmax", axis=-1),
        node("MatMul", ["p", "q2"], ["o"], "/attn/MatMul_1"),
        node("Add", ["o", "n"], ["r"], "/Add"),
        node("Slice", ["r", "zeros", "ends", "ones1"], ["last"], "/Slice"),
        node("Expand", ["ones", "split2"], ["wide"]),
        node("Tile", ["wide", "twice"], ["tiled"]),
        node("ReduceMean", ["last"], ["y"], "/ReduceMean", axes=[1], keepdims=0),
    ]
    tensors = [held("table", (10, 8)), held("g", (8,)), held("h", (8,)), held("q", (8, 8))]
    tensors += [stated("one", 1), stated("zero", 0), stated("zeros", [0]), stated("minus", [-1])]
    tensors += [stated("heads", [8]), stated("mask", np.tri(5), "bool"), stated("ends", [3])]
    tensors += [stated("low", -1e9, "float32"), stated("ones1", [1]), stated("twice", [2, 1])]
    tensors += [stated("split2", [4, 5])]
    return model(nodes, [value("x", Int, [2, 5])], [value("y", Float, [2, 8])], tensors)


def recurrent() -> onnx.ModelProto:
    nodes = [
        node("LSTM", ["x", "w", "r", "b"], ["a", "h", "c"], "/lstm/LSTM", hidden_size=4),
        node("Squeeze", ["a", "axis"], ["s"]),
        node("GRU", ["s", "w1", "r1"], ["d"], "/gru/GRU", hidden_size=4),
        node("RNN", ["s", "w2", "r2"], ["e", "f"], "/rnn/RNN", hidden_size=4),
        node("Add", ["d", "e"], ["y"]),
    ]
    tensors = [held("w", (1, 16, 8)), held("r", (1, 16, 4)), held("b", (1, 32))]
    tensors += [held("w1", (1, 12, 4)), held("r1", (1, 12, 4)), stated("axis", [1])]
    tensors += [held("w2", (1, 4, 4)), held("r2", (1, 4, 4))]
    return model(nodes, [value("x", Float, [5, 2, 8])], [value("y", Float, [5, 1, 2, 4])], tensors)


def control() -> onnx.ModelProto:
    looped = helper.make_graph(
        [
            node("MatMul", ["h", "w"], ["h1"], "/loop/MatMul"),
            node("Less", ["i", "four"], ["go"]),
        ],
        "looped",
        [value("i", Int, []), value("going", Bool, []), value("h", Float, [2, 8])],
        [value("go", Bool, []), value("h1", Float, [2, 8]), value("h1", Float, [2, 8])],
        [held("w", (8, 8)), stated("four", 4)],
    )
    scanned = helper.make_graph(
        [node("Add", ["k", "t"], ["k1"]), node("Relu", ["k1"], ["out"])],
        "scanned",
        [value("k", Float, [8]), value("t", Float, [8])],
        [value("k1", Float, [8]), value("out", Float, [8])],
    )
    branches = [
        helper.make_graph([node(kind, ["y1"], [out])], kind, [], [value(out, Float, [2, 8])])
        for kind, out in (("Relu", "z1"), ("Tanh", "z2"))
    ]
    nodes = [
        node("Loop", ["trips", "", "x"], ["y1", "all"], "/loop", body=looped),
        node("Scan", ["start", "y1"], ["k2", "y2"], "/scan", body=scanned, num_scan_inputs=1),
        node("Shape", ["x"], ["shape"]),
        node("Size", ["shape"], ["size"]),
        node("Equal", ["size", "two"], ["is"]),
        node("If", ["is"], ["z"], "/if", then_branch=branches[0], else_branch=branches[1]),
        node("SequenceConstruct", ["y1", "y2"], ["seq"]),
        node("SplitToSequence", ["z"], ["parts"], axis=0),
        node("ConcatFromSequence", ["seq"], ["y"], axis=0),
    ]
    tensors = [stated("trips", 3), stated("two", 2), held("start", (8,))]
    return model(nodes, [value("x", Float, [2, 8])], [value("y", Float, [4, 8])], tensors)


def quantized() -> onnx.ModelProto:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("QLinearConv", ["q", "s", "z", "w", "s", "wz", "s", "z"], ["c"], "/c/QLinearConv"),
        node("DequantizeLinear", ["c", "s", "z"], ["d"]),
        node("Flatten", ["d"], ["f"]),
        node("DynamicQuantizeLinear", ["f"], ["f8", "fs", "fz"]),
        node("MatMulInteger", ["f8", "m", "fz"], ["i"], "/fc/MatMulInteger"),
        node("Cast", ["i"], ["j"], to=Float),
        node("FusedMatMul", ["j", "n"], ["k"], domain="com.microsoft", transB=1, alpha=0.5),
        node("Gelu", ["k"], ["y"], domain="com.microsoft"),
    ]
    tensors = [stated("s", 0.1, "float32"), stated("z", 3, "uint8"), stated("wz", 0, "int8")]
    tensors += [held("w", (4, 2, 3, 3), "int8"), held("m", (144, 6), "int8"), held("n", (3, 6))]
    return model(nodes, [value("x", Float, [1, 2, 8, 8])], [value("y", Float, [1, 3])], tensors)


def functions() -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    inner = helper.make_function(
        "own", "Inner", ["a", "w"], ["b"], [node("MatMul", ["a", "w"], ["b"])], opsets
    )
    outer = helper.make_function(
        *("own", "Outer", ["a", "w"], ["c"]),
        [
            node("Inner", ["a", "w"], ["b"], domain="own"),
            node("Inner", ["b", "w"], ["c"], domain="own"),
        ],
        opsets,
    )
    nodes = [
        node("Outer", ["x", "w"], ["a"], "/outer", domain="own"),
        node("Odd", ["a"], ["b"], "/odd", domain="own"),
        node("Elu", ["b"], ["y"]),
    ]
    made = model(
        *(nodes, [value("x", Float, [2, 8])], [value("y", Float, [2, 8])], [held("w", (8, 8))]),
        functions=[inner, outer],
    )
    made.graph.value_info.append(value("b", Float, [2, 8]))
    return made


def resampled() -> onnx.ModelProto:
    nodes = [
        node("ConvTranspose", ["x", "t"], ["a"], "/up/ConvTranspose", strides=[2, 2]),
        node("Resize", ["a", "", "scales"], ["b"], mode="linear"),
        node("Pad", ["b", "around"], ["c"]),
        node("DepthToSpace", ["c"], ["d"], blocksize=2),
        node("Split", ["d", "halves"], ["e", "f"], axis=2),
        node("Mul", ["e", "f"], ["g"]),
        node("Einsum", ["g", "w"], ["h"], equation="nchw,wv->nchv"),
        node("TopK", ["h", "two"], ["i", "places"], axis=-1),
        node("CumSum", ["i", "axis"], ["j"]),
        node("Trilu", ["j"], ["k"]),
        node("PRelu", ["k", "slope"], ["l"]),
        node("Clip", ["l", "zero", "six"], ["m"]),
        node("InstanceNormalization", ["m", "slope", "slope"], ["n"]),
        node("Concat", ["n", "n"], ["y"], axis=1),
    ]
    outside = TensorProto(name="w", data_type=Float, dims=[36, 3], data_location="EXTERNAL")
    outside.external_data.add(key="location", value="w.bin")
    tensors = [held("t", (2, 8, 2, 2)), outside, stated("two", [2]), stated("axis", 3)]
    tensors += [stated("scales", [1, 1, 2, 2], "float32"), stated("halves", [18, 18])]
    tensors += [stated("around", [0, 0, 1, 1, 0, 0, 1, 1]), held("slope", (2,))]
    tensors += [stated("zero", 0.0, "float32"), stated("six", 6.0, "float32")]
    return model(
        nodes, [value("x", Float, [1, 2, 4, 4])], [value("y", Float, [1, 4, 18, 2])], tensors
    )


SEEDS: dict[str, Callable[[], onnx.ModelProto]] = {
    f.__name__: f for f in (image, tokens, recurrent, control, quantized, functions, resampled)
}

INTEGERS = (-1, 0, 1, 2, 3, 7, 64, 1000, 10**6, 2**31, 2**40, 2**62, -(2**63))
NUMBERS = (0.0, -1.0, 0.5, 1e-30, 1e30, float("nan"), float("inf"))
TEXTS = (
    *("", "x", "/etc/passwd", "../secret.bin", "w.bin", "a/" * 3000, "a." * 150, "__init__"),
    *("training", "forward", "own", "ai.onnx", "nchw,->", "SAME_LOWER", *NASTY_NAMES.values()),
)


def _places(message: Message) -> Iterator[tuple[Message, Any]]:
    """Every field that is set, in every message within."""
    for field, content in message.ListFields():
        yield message, field
        if field.message_type is not None:
            for inner in content if _many(field) else (content,):
                yield from _places(inner)


def _many(field: Any) -> bool:
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == 3


def _other(rng: random.Random, field: Any, old: Any, texts: Sequence[str]) -> Any:
    """Another value of a field that is no message."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return rng.choice((*INTEGERS, old + 1, old - 1, old * 1000))
    if isinstance(old, float):
        return rng.choice((*NUMBERS, old * 2))
    if isinstance(old, str):
        return rng.choice((*TEXTS, *texts))
    return flipped(rng, old) if rng.random() < 0.5 else old[: rng.randrange(len(old) + 1)] * 2


def _mutate_field(rng: random.Random, made: onnx.ModelProto) -> None:
    places = list(_places(made))
    message, field = rng.choice(places)
    texts = [n.name for n in made.graph.node] + [o for n in made.graph.node for o in n.output]
    content = getattr(message, field.name)
    if not _many(field):
        if field.message_type is not None or rng.random() < 0.1:
            return message.ClearField(field.name)
        return setattr(message, field.name, _other(rng, field, content, texts))
    i = rng.randrange(len(content))
    way = rng.choice(("drop", "again", "other", "other", "other"))
    if way == "drop":
        del content[i]
    elif way == "again":
        content.append(content[i])
    elif field.message_type is None:
        content[i] = _other(rng, field, content[i], texts)
    else:  # another message of the same kind
        same = [(m, f) for m, f in places if f.message_type is field.message_type and _many(f)]
        source = rng.choice(same)
        content[i].CopyFrom(rng.choice(list(getattr(source[0], source[1].name))))
    return None


def _another_operator(rng: random.Random, made: onnx.ModelProto) -> None:
    found = rng.choice(made.graph.node)
    found.domain, _, found.op_type = rng.choice(sorted(OPERATORS)).rpartition(".")


def _another_input(rng: random.Random, made: onnx.ModelProto) -> None:
    """Which may be made later: a cycle, or by nothing."""
    found = rng.choice([n for n in made.graph.node if n.input])
    names = [o for n in made.graph.node for o in n.output] + [
        t.name for t in made.graph.initializer
    ]
    found.input[rng.randrange(len(found.input))] = rng.choice([*names, "", "nothing"])


def _elsewhere(rng: random.Random, made: onnx.ModelProto) -> None:
    """Weights that are said to be in another file."""
    tensor = rng.choice(made.graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    location = rng.choice(("/etc/passwd", "../secret.bin", "w.bin", "", ".", "link.bin", "no.bin"))
    tensor.external_data.add(key="location", value=location)
    key = rng.choice(("offset", "length", "checksum"))
    tensor.external_data.add(key=key, value=rng.choice(("0", "-5", "4", str(2**62), "x")))


def _itself(rng: random.Random, made: onnx.ModelProto) -> None:
    """A function that calls itself, or many that call one another twice."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    times = rng.choice((1, 40))
    for i in range(times):
        called = f"F{(i + 1) % times if rng.random() < 0.5 else i + 1}"
        calls = [node(called, ["a"], ["b"], domain="own"), node(called, ["b"], ["c"], domain="own")]
        made.functions.append(helper.make_function("own", f"F{i}", ["a"], ["c"], calls, opsets))
    made.graph.node.append(node("F0", [made.graph.node[0].output[0]], ["end"], domain="own"))


def _nested(rng: random.Random, made: onnx.ModelProto) -> None:
    """Bodies in bodies."""
    last = made.graph.node[-1].output[0]
    graph = helper.make_graph([node("Relu", [last], ["u0"])], "u", [], [value("u0", Float, None)])
    for i in range(1, rng.choice((3, 12, 28))):
        nodes = [
            node("Constant", [], [f"c{i}"], value=stated("", True, "bool")),
            node("If", [f"c{i}"], [f"u{i}"], then_branch=graph, else_branch=graph)
            if i < 6
            else node("If", [f"c{i}"], [f"u{i}"], then_branch=graph),
        ]
        graph = helper.make_graph(nodes, "u", [], [value(f"u{i}", Float, None)])
    made.graph.node.extend(graph.node)


WAYS = (_another_operator, _another_input, _elsewhere, _itself, _nested)


def flipped(rng: random.Random, data: bytes) -> bytes:
    """With one bit changed."""
    if not data:
        return b"\xff"
    i = rng.randrange(len(data))
    return data[:i] + bytes([data[i] ^ 1 << rng.randrange(8)]) + data[i + 1 :]


def _broken(rng: random.Random, data: bytes) -> bytes:
    """Bytes that are cut off, left out, repeated or changed."""
    i, n = rng.randrange(len(data)), rng.choice((1, 2, 8, 100))
    way = rng.choice(("cut", "out", "again", "flip", "flip", "flip"))
    if way == "cut":
        return data[:i]
    if way == "out":
        return data[:i] + data[i + n :]
    return data[: i + n] + data[i:] if way == "again" else flipped(rng, data)


def mutant(name: str, seed: int) -> bytes:
    """A file with one to three things changed; the same for the same seed."""
    rng = random.Random(f"{name} {seed}")
    made = SEEDS[name]()
    if rng.random() < 0.25:
        data = made.SerializeToString()
        for _ in range(rng.choice((1, 1, 2, 3))):
            data = _broken(rng, data) or b"\0"
        return data
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        way = rng.choice(WAYS) if rng.random() < 0.4 else _mutate_field
        try:
            way(rng, made)
        except (ValueError, IndexError):  # a number that the field cannot hold, or nothing is left
            continue
    return made.SerializeToString()

"""Traces of small networks, their mutations by a seed, and every output that a trace has."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

import costlab
from costlab.cost.registry import REGISTRY
from costlab.render.document import Grid
from costlab.render.pdf_tables import typst_table
from costlab.trace import Account, Measured, ModuleTime, OpTime, Timing, Trace

NASTY_NAMES = {
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "c1": "\x9b31mred\x9d0;title\x9c",
    "bidi": "\u202eevil\u2066name\u2069",
    "nul": "nul\0byte",
    "lines": "one\ntwo\r\nthree\u2028four\x85five\vsix\fseven",
    "script": "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "cdata": "]]><!--<?xml version='1.0'?>&amp;&bogus;",
    "latex": r"\input{/etc/passwd}\write18{id}%$#_&^~{}[*]",
    "typst": '#read("/etc/passwd") $x$ *b* _e_ `r` @ref <label> // /* "q" \\',
    "formula": '=HYPERLINK("http://x")',
    "surrogate": "lone\ud800surrogate",
    "markdown": "a|b [x](javascript:alert(1)) `c` <b>",
    "long": "n" * 10_000,
}
NASTY_VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 7, 10**6, 2**31, 2**63, 10**300, -(10**300)),
    *(0.5, -1e308, float("nan"), float("inf"), "", "x", "float32", "1x3x8x8"),
    *([], {}, [[]], [1], [0, 0], ["x"], [None], {"x": 1}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    *NASTY_NAMES.values(),
)
STYLES = ("paper", "resnet", "layers")
FORMATS = ("text", "md", "latex", "html", "csv", "json")


class _Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.LSTM(8, 16, num_layers=2, batch_first=True), nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


def _measured(trace: Trace) -> Trace:
    """A trace as if it was measured: a millisecond an operation."""
    one = Timing(1e-3, 0.9e-3, 1.1e-3, 1e-5, 20)
    all_ops = Timing(1e-3 * len(trace.ops), 1e-3, 1.0, 1e-5, 20)
    times = tuple(OpTime(op.name, i, 1e-3, 4096, 8, 16) for i, op in enumerate(trace.ops))
    calls = dict.fromkeys((op.module, op.call) for op in trace.ops if op.module)
    modules = tuple(ModuleTime(m, c, one, one, 1e-4) for m, c in calls)
    where = {"device": "Test GPU", "dtype": "fp32", "layout": "contiguous", "product": "float32"}
    ceilings = {"float32": 1e12, "bandwidth": 1e11}
    account = Account(1.0, 0.9, 0.95, len(trace.ops), True)
    m = Measured(
        *(all_ops, all_ops, times, modules, 0.0, 12345, ceilings),
        conditions={**where, "method": "CUDA graph replay"},  # type: ignore[typeddict-item]
        compiled=one,
        account=account,
    )
    return dataclasses.replace(trace, measured=m)


def _googlenet() -> Trace:
    return _measured(costlab.trace(costlab.load("googlenet")))


def _lstm() -> Trace:
    return _measured(costlab.trace(_Recurrent(), torch.empty(2, 5, 8)))


def _transformer() -> Trace:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return costlab.trace(layer.eval(), torch.empty(2, 6, 16))


def _trained() -> Trace:
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 5))
    return costlab.trace(net, torch.empty(2, 3, 8, 8), backward=True)


def _quantized() -> Trace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10)).eval()
        net = torch.ao.quantization.quantize_dynamic(net, {nn.Linear})
        return costlab.trace(net, torch.zeros(2, 128), device="cpu")


def _onnx(folder: Path) -> Trace:
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Flatten", ["b"], ["c"], "flatten"),
        helper.make_node("Gemm", ["c", "m"], ["y"], "gemm"),
    ]
    weights = [
        helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.0] * 108),
        helper.make_tensor("m", TensorProto.FLOAT, [144, 5], [0.0] * 720),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])
    graph = helper.make_graph(nodes, "g", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "net.onnx")
    return costlab.trace(costlab.load(str(folder / "net.onnx")))


SEEDS: dict[str, Callable[[Path], Trace]] = {
    "googlenet": lambda _: _googlenet(),
    "lstm": lambda _: _lstm(),
    "transformer": lambda _: _transformer(),
    "trained": lambda _: _trained(),
    "quantized": lambda _: _quantized(),
    "onnx": _onnx,
}


def document(seed: str, folder: Path) -> dict[str, Any]:
    """What the file of a seed's trace holds."""
    path = folder / f"{seed}.trace"
    SEEDS[seed](folder).save(path)
    return json.loads(gzip.decompress(path.read_bytes()))


def write(doc: object, path: Path) -> Path:
    """A document as a trace file."""
    path.write_bytes(gzip.compress(json.dumps(doc).encode(), 1, mtime=0))
    return path


def _child(rng: random.Random, node: Any) -> Any:
    return rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))


def _place(rng: random.Random, doc: Any) -> tuple[Any, Any]:
    """A container somewhere in a document, and a key of it."""
    node, key = doc, _child(rng, doc)
    while isinstance(node[key], dict | list) and node[key] and rng.random() < 0.85:
        node = node[key]
        key = _child(rng, node)
    return node, key


def _shift(rng: random.Random, value: Any) -> Any:
    """A value near another."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return rng.choice([value + 1, value - 1, -value, value * 1000, value // 2, float(value)])
    if isinstance(value, str):
        return rng.choice([value + "x", value[1:], value * 2, rng.choice([*NASTY_NAMES.values()])])
    if isinstance(value, list):
        grown = [*value, *value[:1]] if rng.random() < 0.5 else value[::-1]
        return rng.choice([grown, value[1:], value[:-1], [value]])
    return {**value, "added": 1}


def _mutate_once(rng: random.Random, doc: Any) -> None:
    node, key = _place(rng, doc)
    way = rng.choice(("nasty", "nasty", "shift", "shift", "splice", "drop", "name", "attribute"))
    if way == "nasty":
        node[key] = copy.deepcopy(rng.choice(NASTY_VALUES))
    elif way == "shift":
        node[key] = _shift(rng, node[key])
    elif way == "splice":
        other, place = _place(rng, doc)
        node[key] = copy.deepcopy(other[place])
    elif way == "drop":
        del node[key]
    else:
        _mutate_op(rng, doc, way)


def _mutate_op(rng: random.Random, doc: Any, way: str) -> None:
    """Another operation's name, or attributes that are not its own."""
    ops = doc.get("ops")
    if not isinstance(ops, list) or not ops:
        return
    op = rng.choice(ops)
    if not isinstance(op, list) or len(op) < 8 or not isinstance(op[7], dict):
        return
    if way == "name":
        op[0] = rng.choice(sorted(REGISTRY.formulas))
    elif op[7]:
        name = rng.choice(sorted(op[7]))
        op[7][name] = rng.choice([*NASTY_VALUES, _shift(rng, op[7][name])])


def mutant(doc: dict[str, Any], seed: int) -> dict[str, Any]:
    """A document with one to three things changed; the same for the same seed."""
    rng = random.Random(seed)
    doc = copy.deepcopy(doc)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if doc:
            _mutate_once(rng, doc)
    return doc


def outputs(trace: Trace) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every text that a trace is shown as, by name."""
    for style in STYLES:
        for format in FORMATS:
            yield f"{style} {format}", lambda s=style, f=format: _table(trace, s).render(f)
        yield f"{style} typst", lambda s=style: _typst(trace, s)
    yield "memory", lambda: costlab.memory(trace).render("html")
    yield "memory numbers", lambda: costlab.memory(trace).chart_numbers.records()
    yield "profile numbers", lambda: costlab.profile(trace).sheet.records()
    yield "dot", lambda: costlab.diagram(trace).draw("dot")
    yield "cost svg", lambda: costlab.diagram(trace, style="cost", depth=1).draw("svg")
    yield "paper dot", lambda: costlab.diagram(trace, style="paper").draw("dot")
    if trace.measured:
        yield "roofline", lambda: costlab.roofline(trace).render("text")
        yield "roofline numbers", lambda: costlab.roofline(trace).sheet.records()


def _table(trace: Trace, style: str):
    return costlab.table(trace, style=style)


def _typst(trace: Trace, style: str) -> str:
    return typst_table(Grid(_table(trace, style).sheet, "caption", "table"), "a4", True).source

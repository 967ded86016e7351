"""A graph as a torch module, with a module for each scope: a trace has the model's paths."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import onnx
import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from . import _scopes
from ._file import File, arguments, nodes, stated
from ._operators import OPERATORS, Node, number

_STATISTICS = {("BatchNormalization", 3), ("BatchNormalization", 4)}
_STATE = {(op, i) for op in ("LSTM", "GRU", "RNN") for i in (5, 6)}
_SCALES = {(op, i) for op in ("QuantizeLinear", "DequantizeLinear") for i in (1, 2)} | {
    ("QLinearConv", i) for i in (1, 2, 4, 5, 6, 7)
}
# operators whose further operands say how, and are read when the graph runs
_SETTINGS = {"Resize", "Upsample", "Clip", "Pad", "Range", "ConstantOfShape", "OneHot", "Tile"}
_EIGHT_BITS = (torch.int8, torch.uint8)
_PRODUCTS = {"Conv", "Gemm", "MatMul"}
_KEEP_VALUES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}
_LIBRARY = torch.library.Library("onnx", "FRAGMENT")


class Module(nn.Module):
    """A module of the exported model: runs what is in its scope."""

    def forward(self, run: Callable[[], None]) -> None:
        run()


@dataclass(frozen=True)
class _Step:
    """An operator with the path of its module."""

    node: Node
    path: tuple[str, ...]


class Graph(nn.Module):
    """The graph of a file. Its parameters have the names of the exported model's where the file has
    them; `notes` say what a reader of its numbers must know.

    Raises ValueError for a graph that does not fit its own inputs."""

    def __init__(self, file: File):
        super().__init__()
        self._file = file
        self._inputs = arguments(file.model.graph)
        self._outputs = [value.name for value in file.model.graph.output]
        self._constants: dict[str, torch.Tensor] = {}
        self._places: dict[str, tuple[nn.Module, str]] = {}
        self._folded = 0
        self._steps = self._prepared(file.model.graph)
        self.notes = _notes(self._folded)

    def forward(self, *args, **kwargs):
        names = [value.name for value in self._inputs]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        for value in self._inputs:
            _check(value, given.get(value.name))
        env = {name: getattr(home, own) for name, (home, own) in self._places.items()}
        run = _Run(self, {**env, **given, **self._constants}, set(self._constants))
        run.steps(self._steps)
        out = tuple(run.env[name] for name in self._outputs)
        return out[0] if len(out) == 1 else out

    def _prepared(self, graph: onnx.GraphProto) -> list[_Step]:
        """Register what the graph holds, and give the operators in order."""
        found = nodes(self._file, graph)
        protos = {t.name: t for t in graph.initializer}
        found = [pair for pair in found if not _copies(pair[0], protos, self._outputs)]
        weights = {
            o for n, _ in found for i, o in enumerate(n.inputs) if i in _weight_places(n.operator)
        }
        for node, _ in found:  # some exporters write weights as constants
            value = node.attrs.get("value") if node.operator == "Constant" else None
            if value is not None and node.outputs[0] in weights and value.numel() > 1:
                protos[node.outputs[0]] = value
        found = [(n, m) for n, m in found if not (n.outputs and n.outputs[0] in protos)]
        uses, steps = defaultdict(list), []
        described = " ".join(m.get("pkg.torch.onnx.fx_node", "") for _, m in found)
        parameters = set(re.findall(r"%p_(\w+)", described))
        for node, metadata in found:
            scope = self._scope(node, metadata, protos)
            self._typed(scope)
            steps.append(_Step(node, tuple(scope.path.split(".")) if scope.path else ()))
            for i, name in enumerate(node.inputs):
                uses[name].append((node.operator, i, scope.path))
        for name, value in protos.items():
            is_buffer = "." in name and re.sub(r"\W", "_", name) not in parameters
            self._register(name, value, uses.get(name, []), bool(parameters) and is_buffer)
        return steps

    def _scope(self, node, metadata, protos) -> _scopes.Scope:
        """An operator's scope; a convolution that took in its norm is in that of its weight."""
        weight = node.inputs[1] if len(node.inputs) > 1 else ""
        proto = protos.get(weight)
        rank = 0 if proto is None else len(_dims(proto))
        scope = _scopes.of(node, metadata, rank)
        product = node.operator in ("Conv", "ConvTranspose", "Gemm")
        if product and scope.type.startswith("BatchNorm"):
            self._folded += 1
            path = _scopes.split(weight)[0]
            kind = {"Gemm": "Linear"}.get(node.operator, f"{node.operator}{rank - 2}d")
            return _scopes.Scope(path, (*scope.types[:-1], (path, kind)))
        if product and "namespace" not in metadata and _scopes.automatic(weight):
            self._folded += len(node.inputs) > 2 and node.operator == "Conv"
        return scope

    def _typed(self, scope: _scopes.Scope) -> None:
        """Make the modules of a scope, with the types that are known."""
        types = dict(scope.types)
        home, path = self, ""
        for part in scope.path.split(".") if scope.path else ():
            path = f"{path}.{part}" if path else part
            child = home._modules.get(part)
            kind = types.get(path, "")
            if child is None:
                child = home._modules[part] = _module(kind)
            elif kind and type(child) is Module:
                child.__class__ = type(kind, (Module,), {})
            home = child
        if "" in types and type(self) is Graph:
            self.__class__ = type(types[""], (Graph,), {})

    def _register(self, name, proto, uses, is_buffer: bool) -> None:
        """Keep a value as a parameter, a buffer, or a constant known before the graph runs."""
        kind, dims = _kind(proto), _dims(proto)
        role = _role(kind, dims, uses, is_buffer)
        if role == "parameter" and self._is_neutral(name, proto, uses):
            role = "buffer"
        if role == "constant":
            self._constants[name] = self._value(proto)
            return
        empty = torch.empty(dims, dtype=kind)
        value = empty if empty.is_meta else self._value(proto)
        home, own = self._place(name, uses)
        if role == "parameter":
            floating = kind.is_floating_point or kind.is_complex
            home._parameters[own] = nn.Parameter(value, requires_grad=floating)
        else:
            home._buffers[own] = value
        self._places[name] = home, own

    def _is_neutral(self, name: str, proto, uses) -> bool:
        """Whether a norm's scale or shift is only there because the operator wants one: a group
        norm is exported as an instance norm that neither scales nor shifts."""
        if not _scopes.automatic(name) or {op for op, _, _ in uses} != {"InstanceNormalization"}:
            return False
        value = self._value(proto)
        return bool((value == value.flatten()[0]).all())

    def _value(self, proto) -> torch.Tensor:
        return proto if isinstance(proto, torch.Tensor) else self._file.tensor(proto)

    def _place(self, name: str, uses) -> tuple[nn.Module, str]:
        """The module and the name of a value: its own, or those of the operator that uses it."""
        path, own = _scopes.split(name)
        if uses and (_scopes.automatic(name) or "." not in name and "/" in name):
            operator, i, path = uses[0]
            own = "bias" if i == 2 or operator in ("Add", "Sub") else "weight"
        self._typed(_scopes.Scope(path))
        home = self.get_submodule(path) if path else self
        while own in home._parameters or own in home._buffers or hasattr(home, own):
            own += "_"
        return home, own


def _module(kind: str) -> Module:
    return (type(kind, (Module,), {}) if kind else Module)()


def _copies(node: Node, protos: dict, outputs: Sequence[str]) -> bool:
    """Whether an operator only names an initializer anew, as exporters do for equal ones; each name
    is then a value of its own."""
    if node.operator != "Identity" or node.inputs[0] not in protos or node.outputs[0] in outputs:
        return False
    protos[node.outputs[0]] = protos[node.inputs[0]]
    return True


def _dims(proto) -> tuple[int, ...]:
    return tuple(proto.shape) if isinstance(proto, torch.Tensor) else tuple(proto.dims)


def _kind(proto) -> torch.dtype:
    from ._operators import dtype

    return proto.dtype if isinstance(proto, torch.Tensor) else dtype(proto.data_type)


def _weight_places(operator: str) -> tuple[int, ...]:
    return OPERATORS[operator].weights if operator in OPERATORS else ()


def _role(kind: torch.dtype, dims, uses, is_buffer: bool) -> str:
    """ "parameter", "buffer" or "constant", by the operands that a value is."""
    places = {(operator, i) for operator, i, _ in uses}
    weight = any(i in _weight_places(operator) for operator, i in places)
    floating = kind.is_floating_point or kind.is_complex
    several = 1 not in (len(dims), 1) or torch.Size(dims).numel() > 1
    if not floating:
        integer = (
            weight and any(op != "Gather" for op, i in places) and torch.Size(dims).numel() > 1
        )
        return "parameter" if integer else "constant"
    if not uses or any(op in _SETTINGS and i > 0 for op, i in places):
        return "constant"
    if places <= _STATISTICS | _STATE | _SCALES:
        return "buffer"
    if weight:
        return "parameter"
    if not several:
        return "constant"
    return "buffer" if is_buffer else "parameter"


def _notes(folded: int) -> tuple[str, ...]:
    if not folded:
        return ()
    return (
        f"the exporter folded batch norms into {folded} convolutions: their scale and shift are in "
        "the weights and biases, and are no params of their own",
    )


def _check(value: onnx.ValueInfoProto, given) -> None:
    """Raise ValueError for an input that is missing, or that does not fit the file."""
    if given is None:
        raise ValueError(f"input {value.name} is not given")
    dims, _ = stated(value)
    fits = len(dims) == given.dim() and all(
        not isinstance(n, int) or n == m for n, m in zip(dims, given.shape, strict=True)
    )
    if not fits:
        want, got = ("x".join(map(str, s)) for s in (dims, given.shape))
        raise ValueError(f"input {value.name} is {want} in the file, not {got}")


class _Run:
    """One run: the values so far, and which of them are known whatever the inputs hold."""

    def __init__(self, graph: Graph, env: dict[str, Any], known: set[str]):
        self.graph, self.env, self.known = graph, env, known
        self.dequantized: set[str] = set()  # values that 8-bit integers stand for

    def steps(self, steps: Sequence[_Step], depth: int = 0, home: nn.Module | None = None) -> None:
        """Run operators in order; what is in one scope is a call of its module."""
        home = self.graph if home is None else home
        key = lambda s: s.path[depth] if len(s.path) > depth else None  # noqa: E731
        for part, group in groupby(steps, key):
            inside = list(group)
            if part is None:
                for step in inside:
                    self.node(step.node)
            elif all(self._is_known(step.node) for step in inside):
                self.steps([_Step(step.node, ()) for step in inside])
            else:
                child = home._modules[part]
                assert child is not None, "each part of a path was registered as a module"
                child(lambda: self.steps(inside, depth + 1, child))  # noqa: B023  (called at once)

    def _is_known(self, node: Node) -> bool:
        """Whether an operator has the same result in every run of these shapes."""
        return all(
            not name or name in self.known for name in node.inputs
        ) and not node.operator.startswith("Random")

    def node(self, node: Node) -> None:
        values = [self.env[name] if name else None for name in node.inputs]
        node = self._marked(node, values)
        if node.operator == "If":
            return self.branch(node)
        found = OPERATORS.get(node.operator)
        if found is None:
            return self.store(node, _uncounted(self.graph, node, values), known=False)
        known = self._is_known(node) or node.operator in ("Shape", "Size")
        try:
            if known:
                with _disable_current_modes():
                    out = found.compute(node, *values)
            else:
                out = found.compute(node, *self._mixed(node, found.scalars, values))
        except TypeError as e:
            raise ValueError(f"{node.operator} ({node.name}): {e}") from None
        self.store(node, out, known)

    def _marked(self, node: Node, values) -> Node:
        """A product whose both factors are dequantized is one of integers: runtimes take the pair
        of (de)quantization into it."""
        made = node.operator.endswith("DequantizeLinear") and values[0].dtype in _EIGHT_BITS
        kept = node.operator in _KEEP_VALUES and node.inputs[0] in self.dequantized
        if made or kept:
            self.dequantized.update(node.outputs)
        factors = self.dequantized.issuperset(node.inputs[:2])
        return replace(node, integer=True) if node.operator in _PRODUCTS and factors else node

    def _mixed(self, node: Node, scalars: int, values):
        """Operands as a model would write them: small constants as Python numbers, masks and states
        where the data is."""
        data = next(
            v for n, v in zip(node.inputs, values, strict=True) if n and n not in self.known
        )

        def operand(name, value):
            if name not in self.known:
                return value
            if value.numel() == 1 and value.dim() <= scalars:
                return number(value)
            moves = value.is_floating_point() or value.dtype is torch.bool
            return value.to(data.device) if moves and node.operator not in _SETTINGS else value

        return [operand(n, v) for n, v in zip(node.inputs, values, strict=True)]

    def store(self, node: Node, out, known: bool) -> None:
        outs = out if isinstance(out, (tuple, list)) else (out,)
        for name, value in zip(node.outputs, outs, strict=False):
            self.env[name] = value
            if known:
                self.known.add(name)

    def branch(self, node: Node) -> None:
        """A condition that shapes decide: only the branch that is taken is run."""
        if node.inputs[0] not in self.known:
            raise ValueError(f"If ({node.name}) depends on values of the input")
        taken = "then_branch" if bool(self.env[node.inputs[0]]) else "else_branch"
        graph = node.attrs[taken]
        with _disable_current_modes():
            inside = nodes(self.graph._file, graph)
            held = {t.name: self.graph._file.tensor(t) for t in graph.initializer}
        self.env.update(held)
        self.known.update(held)
        for inner, _ in inside:
            self.node(inner)
        for name, value in zip(node.outputs, graph.output, strict=True):
            self.env[name] = self.env[value.name]
            if value.name in self.known:
                self.known.add(name)


def _uncounted(graph: Graph, node: Node, values) -> list[torch.Tensor]:
    """The outputs of an operator without a mapping, by shape inference. It is recorded as `onnx.`
    and its name, which has no formula."""
    name = re.sub(r"\W", "_", node.operator)
    shapes = [graph._file.inferred(o) for o in node.outputs if o]
    if not hasattr(torch.ops.onnx, name):
        _LIBRARY.define(f"{name}(Tensor[] inputs, Tensor[] outputs) -> Tensor[]")
        _LIBRARY.impl(name, lambda inputs, outputs: list(outputs), "CompositeExplicitAutograd")
    data = [v for v in values if isinstance(v, torch.Tensor)]
    device = data[0].device if data else "cpu"
    with _disable_current_modes():
        outputs = [torch.empty(dims, dtype=kind, device=device) for dims, kind in shapes]
    return list(getattr(torch.ops.onnx, name)(data, [o.clone() for o in outputs]))

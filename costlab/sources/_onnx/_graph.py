"""A graph as a torch module, with a module for each scope: a trace has the model's paths."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import onnx
import torch
from torch import Tensor, nn

from ..._text import shown
from ...trace.modules import registered_modules
from . import _scopes, _subgraphs
from ._control import CONTROL
from ._file import File, arguments, stated
from ._operators import OPERATORS, Data, Node, dtype, short
from ._run import SETTINGS, Body, Run, Step

_STATISTICS = {("BatchNormalization", 3), ("BatchNormalization", 4)}
_STATE = {(op, i) for op in ("LSTM", "GRU", "RNN") for i in (5, 6)}
_SCALES = {(op, i) for op in ("QuantizeLinear", "DequantizeLinear") for i in (1, 2)} | {
    ("QLinearConv", i) for i in (1, 2, 4, 5, 6, 7)
}

_NO_PARAMETERS = _STATISTICS | _STATE | _SCALES


_Stored = onnx.TensorProto | Tensor  # a value that the file holds: an initializer, or a constant


class _Use(NamedTuple):
    """An operand: the operator, which of its inputs, and the path of its module."""

    operator: str
    place: int
    path: str


class Module(nn.Module):
    """A module of the exported model: runs what is in its scope."""

    def forward(self, run: Callable[[], None]) -> None:
        run()


class Graph(nn.Module):
    """The graph of a file. Its parameters have the names of the exported model's where the file has
    them; `notes` are caveats about its numbers.

    Raises ValueError for a graph that does not fit its own inputs."""

    def __init__(self, file: File):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self._file = file
        self._inputs = arguments(file.model.graph)
        self._outputs = [value.name for value in file.model.graph.output]
        self._constants: dict[str, Tensor] = {}
        self._places: dict[str, tuple[nn.Module, str]] = {}
        self._folded = 0
        self._body = self._prepared(_subgraphs.read(file))
        self.notes = _notes(self._folded)

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Data | tuple[Data, ...]:
        names = [value.name for value in self._inputs]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        for value in self._inputs:
            _check(value, given.get(value.name))
        env: dict[str, Data] = {n: getattr(owner, own) for n, (owner, own) in self._places.items()}
        run = Run(self, self._file, {**env, **given, **self._constants}, set(self._constants))
        run.steps(self._body.steps)
        out = tuple(run.get(name).data for name in self._outputs)
        return out[0] if len(out) == 1 else out

    def _prepared(self, graph: _subgraphs.Subgraph) -> Body:
        """Register what the graph holds, and give the operators in order."""
        graphs = list(graph.everything())
        entries = [entry for one in graphs for entry in one.entries]
        outputs = set(chain.from_iterable(one.outputs for one in graphs))
        stored: dict[str, _Stored] = {k: t for one in graphs for k, t in one.tensors.items()}
        entries = [e for e in entries if not _copies(e.node, stored, outputs)]
        _weights_of_constants([e.node for e in entries], stored)
        uses: defaultdict[str, list[_Use]] = defaultdict(list)
        described = " ".join(e.metadata.get("pkg.torch.onnx.fx_node", "") for e in entries)
        parameters = set(re.findall(r"%p_(\w+)", described))
        body = self._body_of(graph, stored, uses)
        for name, value in stored.items():
            is_buffer = "." in name and re.sub(r"\W", "_", name) not in parameters
            self._register(name, value, uses.get(name, []), bool(parameters) and is_buffer)
        return body

    def _body_of(
        self,
        graph: _subgraphs.Subgraph,
        stored: Mapping[str, _Stored],
        uses: defaultdict[str, list[_Use]],
    ) -> Body:
        """The operators of a graph that make what the file does not hold, each with its module;
        their operands are added to `uses`."""
        steps: list[Step] = []
        for entry in graph.entries:
            node = entry.node
            if node.outputs and node.outputs[0] in stored:
                continue
            scope = self._scope(node, entry.metadata, stored)
            self._typed(scope)
            path = tuple(scope.path.split(".")) if scope.path else ()
            for i, name in enumerate(node.inputs):
                uses[name].append(_Use(node.operator, i, scope.path))
            inside = {k: self._body_of(g, stored, uses) for k, g in entry.bodies.items()}
            stack = entry.metadata.get("pkg.torch.onnx.stack_trace", "")
            steps.append(Step(node, path, stack, inside))
        return Body(tuple(steps), graph.inputs, graph.outputs)

    def _scope(
        self, node: Node, metadata: Mapping[str, str], stored: Mapping[str, _Stored]
    ) -> _scopes.Scope:
        """An operator's scope; a convolution that took in its norm is in that of its weight."""
        weight = node.inputs[1] if len(node.inputs) > 1 else ""
        value = stored.get(weight)
        rank = 0 if value is None else len(_dims(value))
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
        owner: nn.Module = self
        path = ""
        for part in scope.path.split(".") if scope.path else ():
            path = f"{path}.{part}" if path else part
            children = registered_modules(owner)
            child = children.get(part)
            kind = types.get(path, "")
            if child is None:
                child = children[part] = _module(kind)
            elif kind and type(child) is Module:
                child.__class__ = type(shown(kind), (Module,), {})
            owner = child
        if "" in types and type(self) is Graph:
            self.__class__ = type(shown(types[""]), (Graph,), {})

    def _register(self, name: str, stored: _Stored, uses: Sequence[_Use], is_buffer: bool) -> None:
        """Keep a value as a parameter, a buffer, or a constant known before the graph runs."""
        kind, dims = _kind(stored), _dims(stored)
        role = _role(kind, dims, uses, is_buffer)
        if role == "parameter" and self._is_neutral(name, stored, uses):
            role = "buffer"
        if role == "constant":
            self._constants[name] = self._value(stored)
            return
        empty = torch.empty(dims, dtype=kind)
        value = empty if empty.is_meta else self._value(stored)
        owner, own = self._place(name, uses)
        if role == "parameter":
            floating = kind.is_floating_point or kind.is_complex
            owner.register_parameter(own, nn.Parameter(value, requires_grad=floating))
        else:
            owner.register_buffer(own, value)
        self._places[name] = owner, own

    def _is_neutral(self, name: str, stored: _Stored, uses: Sequence[_Use]) -> bool:
        """Whether a norm's scale or shift is only there because the operator wants one: a group
        norm is exported as an instance norm that neither scales nor shifts."""
        users = {use.operator for use in uses}
        if not _scopes.automatic(name) or users != {"InstanceNormalization"}:
            return False
        value = self._value(stored)
        return bool((value == value.flatten()[0]).all())

    def _value(self, stored: _Stored) -> Tensor:
        return stored if isinstance(stored, Tensor) else self._file.tensor(stored)

    def _place(self, name: str, uses: Sequence[_Use]) -> tuple[nn.Module, str]:
        """The module and the name of a value: its own, or those of the operator that uses it."""
        path, own = _scopes.split(name)
        if uses and (_scopes.automatic(name) or "." not in name and "/" in name):
            operator, i, path = uses[0]
            own = "bias" if i == 2 or operator in ("Add", "Sub") else "weight"
        self._typed(_scopes.Scope(path))
        owner = _scopes.part_of(self, path.split(".") if path else ())
        while hasattr(owner, own):
            own += "_"
        return owner, own


def _module(kind: str) -> Module:
    return (type(shown(kind), (Module,), {}) if kind else Module)()


def _weights_of_constants(found: Sequence[Node], stored: dict[str, _Stored]) -> None:
    """Some exporters write weights as constants: take them for initializers."""
    weights = {o for n in found for i, o in enumerate(n.inputs) if i in _weight_places(n.operator)}
    for node in found:
        value = node.attrs.get("value") if node.operator == "Constant" else None
        if isinstance(value, Tensor) and node.outputs[0] in weights and value.numel() > 1:
            stored[node.outputs[0]] = value


def _copies(node: Node, stored: dict[str, _Stored], outputs: Collection[str]) -> bool:
    """Whether an operator only names an initializer anew, as exporters do for equal ones; each name
    is then a value of its own."""
    if node.operator != "Identity" or node.outputs[0] in outputs:
        return False
    if not node.inputs or node.inputs[0] not in stored:
        return False
    stored[node.outputs[0]] = stored[node.inputs[0]]
    return True


def _dims(stored: _Stored) -> tuple[int, ...]:
    return tuple(stored.shape) if isinstance(stored, Tensor) else tuple(stored.dims)


def _kind(stored: _Stored) -> torch.dtype:
    return stored.dtype if isinstance(stored, Tensor) else dtype(stored.data_type)


def _weight_places(operator: str) -> tuple[int, ...]:
    return OPERATORS[operator].weights if operator in OPERATORS else ()


def _role(kind: torch.dtype, dims: tuple[int, ...], uses: Sequence[_Use], is_buffer: bool) -> str:
    """ "parameter", "buffer" or "constant", by the operands that a value is."""
    places = {(use.operator, use.place) for use in uses}
    weight = any(i in _weight_places(operator) for operator, i in places)
    floating = kind.is_floating_point or kind.is_complex
    several = 1 not in (len(dims), 1) or torch.Size(dims).numel() > 1
    if not floating:
        integer = (
            weight and any(op != "Gather" for op, _ in places) and torch.Size(dims).numel() > 1
        )
        return "parameter" if integer else "constant"
    if not uses or any(op in SETTINGS and i > 0 for op, i in places):
        return "constant"
    if all(p in _NO_PARAMETERS or p[0] in CONTROL for p in places):
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
        "the weights and biases, not params of their own",
    )


def _check(value: onnx.ValueInfoProto, given: Tensor | None) -> None:
    """Raise ValueError for an input that is missing, or that does not fit the file."""
    if given is None:
        raise ValueError(f"input {short(value.name)} is not given")
    dims, _ = stated(value)
    fits = len(dims) == given.dim() and all(
        not isinstance(n, int) or n == m for n, m in zip(dims, given.shape, strict=True)
    )
    if not fits:
        want, got = ("x".join(map(str, s)) for s in (dims, given.shape))
        raise ValueError(f"input {short(value.name)} is {want} in the file, not {got}")

"""One run of a graph: its operators in order, each in the call of its module."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from os.path import commonprefix
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from ...trace.origins import stated
from ._file import File
from ._operators import OPERATORS, Node, number

# operators whose further operands say how, and are read when the graph runs
SETTINGS = {"Resize", "Upsample", "Clip", "Pad", "Range", "ConstantOfShape", "OneHot", "Tile"}
_OF_SHAPES = ("Shape", "Size", "SequenceLength")
_EIGHT_BITS = (torch.int8, torch.uint8)
_PRODUCTS = {"Conv", "Gemm", "MatMul"}
_KEEP_VALUES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}
_LIBRARY = torch.library.Library("onnx", "FRAGMENT")


@dataclass(frozen=True)
class Body:
    """Operators in order; `inputs` and `outputs` are names of values."""

    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """An operator with the path of its module, and with its bodies by attribute. `stack`: the
    traceback that its exporter kept, as text."""

    node: Node
    path: tuple[str, ...]
    stack: str = ""
    bodies: Mapping[str, Body] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """A tensor or a sequence of them; `known`: the same whatever the inputs of the graph hold."""

    data: Any
    known: bool


class Run:
    """One run: the values so far, and which of them are known whatever the inputs hold."""

    def __init__(self, model: nn.Module, file: File, env: dict[str, Any], known: set[str]):
        self.model, self.file, self.env, self.known = model, file, env, known
        self._dequantized: set[str] = set()  # values that 8-bit integers stand for

    def steps(self, steps: Sequence[Step], depth: int = 0, home: nn.Module | None = None) -> None:
        """Run operators in order; what is in one scope is a call of its module."""
        home = self.model if home is None else home
        key = lambda s: s.path[depth] if len(s.path) > depth else None  # noqa: E731
        for part, group in groupby(steps, key):
            inside = list(group)
            if part is None:
                for step in inside:
                    self._step(step)
            elif all(self._is_known(step) for step in inside):
                self.steps([replace(step, path=()) for step in inside])
            else:
                child = home._modules[part]
                assert child is not None, "each part of a path was registered as a module"
                child(lambda: self.steps(inside, depth + 1, child))  # noqa: B023  (called at once)

    def body(self, step: Step, body: Body, values: Sequence[Value]) -> list[Value]:
        """Run a body of an operator on values, in the module that both are in."""
        for name, value in zip(body.inputs, values, strict=True):
            self.set(name, value)
        shared = commonprefix([step.path, *(inner.path for inner in body.steps)])
        home = self.model.get_submodule(".".join(shared))
        self.steps(body.steps, len(shared), home)
        return [self.get(name) for name in body.outputs]

    def get(self, name: str) -> Value:
        return Value(self.env[name], name in self.known)

    def set(self, name: str, value: Value) -> None:
        self.env[name] = value.data
        if value.known:
            self.known.add(name)
        else:
            self.known.discard(name)

    def _is_known(self, step: Step) -> bool:
        """Whether an operator has the same result in every run of these shapes."""
        node = step.node
        fixed = not step.bodies and not node.operator.startswith("Random")
        return fixed and all(not name or name in self.known for name in node.inputs)

    def _step(self, step: Step) -> None:
        from ._control import CONTROL

        control = CONTROL.get(step.node.operator)
        with stated(step.node.name or step.node.outputs[0], step.stack):
            found = control(self, step) if control else self._computed(step)
        for name, value in zip(step.node.outputs, found, strict=False):
            self.set(name, value)

    def _computed(self, step: Step) -> list[Value]:
        values = [self.env[name] if name else None for name in step.node.inputs]
        node = self._marked(step.node, values)
        found = OPERATORS.get(node.operator)
        if found is None:
            return [Value(out, False) for out in _uncounted(self.file, node, values)]
        known = self._is_known(step) or node.operator in _OF_SHAPES
        try:
            if known:
                with _disable_current_modes():
                    out = found.compute(node, *values)
            else:
                out = found.compute(node, *self._mixed(node, found.scalars, values))
        except TypeError as e:
            raise ValueError(f"{node.operator} ({node.name}): {e}") from None
        return [Value(one, known) for one in (out if isinstance(out, tuple) else (out,))]

    def _marked(self, node: Node, values) -> Node:
        """A product whose both factors are dequantized is one of integers: runtimes take the pair
        of (de)quantization into it."""
        made = node.operator.endswith("DequantizeLinear") and values[0].dtype in _EIGHT_BITS
        kept = node.operator in _KEEP_VALUES and node.inputs[0] in self._dequantized
        if made or kept:
            self._dequantized.update(node.outputs)
        factors = self._dequantized.issuperset(node.inputs[:2])
        return replace(node, integer=True) if node.operator in _PRODUCTS and factors else node

    def _mixed(self, node: Node, scalars: int, values):
        """Operands as a model would write them: small constants as Python numbers, masks and states
        where the data is."""
        device = next(
            (
                v.device
                for n, v in zip(node.inputs, values, strict=True)
                if n and n not in self.known and isinstance(v, torch.Tensor)
            ),
            None,
        )

        def operand(name, value):
            if name not in self.known or not isinstance(value, torch.Tensor):
                return value
            if value.numel() == 1 and value.dim() <= scalars:
                return number(value)
            moves = value.is_floating_point() or value.dtype is torch.bool
            if not moves or device is None or node.operator in SETTINGS:
                return value
            return value.to(device)

        return [operand(n, v) for n, v in zip(node.inputs, values, strict=True)]


def derived(compute: Callable[..., Any], *values: Value) -> Value:
    """What a function makes of values; of known ones without being recorded, and the known ones
    among others are moved to where those are."""
    known = all(v.known for v in values)
    data = [v.data for v in values]
    device = next((v.data.device for v in values if not v.known), None)
    if device is not None:
        data = [v.data.to(device) if v.known else v.data for v in values]
    with _disable_current_modes() if known else contextlib.nullcontext():
        return Value(compute(*data), known)


def _uncounted(file: File, node: Node, values) -> list[torch.Tensor]:
    """The outputs of an operator without a mapping, by shape inference. It is recorded as `onnx.`
    and its name, which has no formula."""
    name = re.sub(r"\W", "_", node.operator)
    shapes = [file.inferred(o) for o in node.outputs if o]
    if not hasattr(torch.ops.onnx, name):
        _LIBRARY.define(f"{name}(Tensor[] inputs, Tensor[] outputs) -> Tensor[]")
        _LIBRARY.impl(name, lambda inputs, outputs: list(outputs), "CompositeExplicitAutograd")
    data = [v for v in values if isinstance(v, torch.Tensor)]
    device = data[0].device if data else "cpu"
    with _disable_current_modes():
        outputs = [torch.empty(dims, dtype=kind, device=device) for dims, kind in shapes]
    return list(getattr(torch.ops.onnx, name)(data, [o.clone() for o in outputs]))

"""One run of a graph: its operators in order, each in the call of its module."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from os.path import commonprefix

import torch
from torch import Tensor, nn

from ...trace.modules import registered_modules
from ...trace.origins import stated
from ._file import File
from ._library import define, is_defined
from ._limits import MOST_OPERATORS, KnownValues
from ._operators import OPERATORS, Data, Node, number, short, unrecorded
from ._scopes import part_of

# operators whose further operands say how, and are read when the graph runs
SETTINGS = {"Resize", "Upsample", "Clip", "Pad", "Range", "ConstantOfShape", "OneHot", "Tile"}
_OF_SHAPES = ("Shape", "Size", "SequenceLength")
_EIGHT_BITS = (torch.int8, torch.uint8)
_PRODUCTS = {"Conv", "Gemm", "MatMul"}
_KEEP_VALUES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}


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
    bodies: Mapping[str, Body] = field(default_factory=dict[str, Body])


@dataclass(frozen=True)
class Value:
    """A tensor or a sequence of them; `known`: the same whatever the inputs of the graph hold."""

    data: Data
    known: bool

    @property
    def tensor(self) -> Tensor:
        """Raises ValueError for a sequence, and for what an operator left out."""
        if not isinstance(self.data, Tensor):
            raise ValueError("a sequence is where the graph wants a tensor")
        return self.data


class Run:
    """One run: the values so far, and which of them are known whatever the inputs hold."""

    def __init__(self, model: nn.Module, file: File, env: dict[str, Data], known: set[str]):
        self.model, self.file, self.env, self.known = model, file, env, known
        self._dequantized: set[str] = set()  # values that 8-bit integers stand for
        self._ran = 0  # operators

    def steps(self, steps: Sequence[Step], depth: int = 0, owner: nn.Module | None = None) -> None:
        """Run operators in order; what is in one scope is a call of its module."""
        owner = self.model if owner is None else owner

        def child_of(step: Step) -> str | None:
            return step.path[depth] if len(step.path) > depth else None

        for part, group in groupby(steps, child_of):
            inside = list(group)
            if part is None:
                for step in inside:
                    self._step(step)
            elif all(self._is_known(step) for step in inside):
                self.steps([replace(step, path=()) for step in inside])
            else:
                child = registered_modules(owner)[part]
                assert child is not None, "each part of a path was registered as a module"
                child(lambda: self.steps(inside, depth + 1, child))  # noqa: B023  (called at once)

    def body(self, step: Step, body: Body, values: Sequence[Value]) -> list[Value]:
        """Run a body of an operator on values, in the module that both are in."""
        if len(body.inputs) != len(values):
            raise ValueError(
                f"the body of {step.node.label} takes {len(body.inputs)} values, not {len(values)}"
            )
        for name, value in zip(body.inputs, values, strict=True):
            self.set(name, value)
        shared = commonprefix([step.path, *(inner.path for inner in body.steps)])
        owner = part_of(self.model, shared)
        self.steps(body.steps, len(shared), owner)
        return [self.get(name) for name in body.outputs]

    def get(self, name: str) -> Value:
        if name not in self.env:
            raise ValueError(f"nothing before it makes the value {short(name)!r}")
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

        self._ran += 1
        if self._ran > MOST_OPERATORS:
            raise ValueError(f"more than {MOST_OPERATORS:,} operators run; each is traced")
        control = CONTROL.get(step.node.operator)
        with stated(step.node.name or step.node.outputs[0], step.stack), _fits(step.node):
            found = control(self, step) if control else self._computed(step)
        for name, value in zip(step.node.outputs, found, strict=False):
            self.set(name, value)

    def _computed(self, step: Step) -> list[Value]:
        values = [self.get(name).data if name else None for name in step.node.inputs]
        node = self._marked(step.node, values)
        found = OPERATORS.get(node.operator)
        if found is None:
            return [Value(out, False) for out in _uncounted(self.file, node, values)]
        known = self._is_known(step) or node.operator in _OF_SHAPES
        if known:
            with self.before_it_runs():
                out = found.compute(node, *values)
        else:
            out = found.compute(node, *self._mixed(node, found.scalars, values))
        return [Value(one, known) for one in (out if isinstance(out, tuple) else (out,))]

    @contextlib.contextmanager
    def before_it_runs(self) -> Generator[None]:
        """For what has the same values in every run: it is not recorded, and has a limit."""
        held = KnownValues(lambda: [self.env[name] for name in self.known if name in self.env])
        with unrecorded(), held:
            yield

    def _marked(self, node: Node, values: Sequence[Data]) -> Node:
        """A product whose both factors are dequantized is one of integers: runtimes take the pair
        of (de)quantization into it."""
        dequantizes = (
            node.operator.endswith("DequantizeLinear")
            and isinstance(values[0], Tensor)
            and values[0].dtype in _EIGHT_BITS
        )
        keeps = node.operator in _KEEP_VALUES and node.inputs[0] in self._dequantized
        if dequantizes or keeps:
            self._dequantized.update(node.outputs)
        factors = self._dequantized.issuperset(node.inputs[:2])
        return replace(node, integer=True) if node.operator in _PRODUCTS and factors else node

    def _mixed(self, node: Node, scalars: int, values: Sequence[Data]) -> list[Data | float]:
        """Operands as a model would write them: small constants as Python numbers, masks and states
        where the data is."""
        device = next(
            (
                v.device
                for n, v in zip(node.inputs, values, strict=True)
                if n and n not in self.known and isinstance(v, Tensor)
            ),
            None,
        )

        def operand(name: str, value: Data) -> Data | float:
            if name not in self.known or not isinstance(value, Tensor):
                return value
            if value.numel() == 1 and value.dim() <= scalars:
                return number(value)
            moves = value.is_floating_point() or value.dtype is torch.bool
            if not moves or device is None or node.operator in SETTINGS:
                return value
            return value.to(device)

        return [operand(n, v) for n, v in zip(node.inputs, values, strict=True)]


@contextlib.contextmanager
def _fits(node: Node) -> Generator[None]:
    """Raise ValueError, with the operator, where it is not given what it needs."""
    try:
        yield
    except (TypeError, AttributeError, LookupError, ArithmeticError) as e:
        raise ValueError(f"{node.label}: its inputs or attributes do not fit: {e}") from e


def derived(run: Run, compute: Callable[..., Data], *values: Value) -> Value:
    """What a function makes of tensors; of known ones without being recorded, and the known ones
    among others are moved to where those are."""
    known = all(v.known for v in values)
    data = [v.tensor for v in values]
    device = next((v.tensor.device for v in values if not v.known), None)
    if device is not None:
        data = [v.tensor.to(device) if v.known else v.tensor for v in values]
    with run.before_it_runs() if known else contextlib.nullcontext():
        return Value(compute(*data), known)


def _uncounted(file: File, node: Node, values: Sequence[Data]) -> list[Tensor]:
    """The outputs of an operator without a mapping, by shape inference. It is recorded as `onnx.`
    and its name, which has no formula."""
    shapes = [file.inferred(o) for o in node.outputs if o]
    operation = _without_formula(node.operator)
    data = [v for v in values if isinstance(v, Tensor)]
    device = data[0].device if data else "cpu"
    with unrecorded():
        outputs = [torch.empty(dims, dtype=kind, device=device) for dims, kind in shapes]
    return list(operation(data, [o.clone() for o in outputs]))


@functools.cache
def _without_formula(operator: str) -> Callable[[list[Tensor], list[Tensor]], list[Tensor]]:
    """An operation with the name of an operator, which gives the outputs that it is told."""
    name = re.sub(r"\W", "_", operator, flags=re.ASCII)
    name = name if name[:1].isalpha() else f"op_{name}"
    while is_defined(name):  # by costlab, or for an operator with almost the same name
        name += "_"

    def given(inputs: list[Tensor], outputs: list[Tensor]) -> list[Tensor]:
        return list(outputs)

    return define(f"{name}(Tensor[] inputs, Tensor[] outputs) -> Tensor[]", given)

"""What runs otherwise in a block whose cells are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from ...tables import Row
from ...trace import Op, Trace
from . import notes
from .figures import Sides

Shape = tuple[int, ...]
_ARGUMENTS = (
    "stride",
    "padding",
    "dilation",
    "groups",
    "kernel_size",
    "p",
    "eps",
    "approximate",
    "negative_slope",
    "ceil_mode",
)


@dataclass(frozen=True)
class Operation:
    """What distinguishes an operation in a block: aten name, arguments, shapes of inputs, weights
    and output, and the output's dtype. The class of the module that runs it is told and not
    compared, because classes are renamed."""

    name: str
    module_type: str = field(compare=False)
    arguments: tuple[tuple[str, Any], ...]
    inputs: tuple[Shape, ...]
    weights: tuple[Shape, ...]
    shape: Shape
    dtype: str

    def __str__(self) -> str:
        return f"{self.module_type} ({self.name.removeprefix('aten.')})"


def operation(trace: Trace, op: Op) -> Operation:
    """What an operation of a trace is, wherever it runs."""
    arguments = tuple((k, op.attrs[k]) for k in _ARGUMENTS if k in op.attrs)
    weights = {trace.params[p].tensor for p in op.params}
    output = trace.tensors[op.outputs[0]] if op.outputs else None
    return Operation(
        op.name,
        op.module_type,
        arguments,
        tuple(trace.tensors[i].shape for i in op.inputs if i not in weights),
        tuple(trace.params[p].shape for p in op.params),
        output.shape if output else (),
        output.dtype if output else "",
    )


def differences(traces: Sides[Trace], rows: Sides[Row]) -> list[str]:
    """In words, the first few: other operations, or other arguments of the same ones."""
    base, head = (
        [operation(t, t.ops[i]) for i in row.ops] for t, row in zip(traces, rows, strict=True)
    )
    found = [words for a, b in _aligned(base, head) if a != b for words in _differences(a, b)]
    return notes.first_few(list(dict.fromkeys(found)))


def _aligned(
    base: Sequence[Operation], head: Sequence[Operation]
) -> Iterator[tuple[Operation | None, Operation | None]]:
    """The operations of both side by side: one by one where they are as many, otherwise where they
    differ."""
    if len(base) == len(head):
        yield from zip(base, head, strict=True)
        return
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, base, head, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from zip_longest(base[a0:a1], head[b0:b1])


def _differences(base: Operation | None, head: Operation | None) -> Iterator[str]:
    """The differences of two operations that are not the same."""
    if base is None or head is None or base.name != head.name:
        yield notes.replaced(base, head)
        return
    old, new = dict(base.arguments), dict(head.arguments)
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield notes.argument(base.module_type, key, old.get(key), new.get(key))
    for what, a, b in (
        ("", base.shape, head.shape),
        ("weights", base.weights, head.weights),
        ("inputs", base.inputs, head.inputs),
        ("dtype", base.dtype, head.dtype),
    ):
        if a != b:
            yield notes.argument(base.module_type, what, a, b)
            return

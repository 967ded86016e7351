"""Recurrent layers, which devices run as one kernel.

A trace has them in plain form, step by step: for each layer and direction a product of all inputs,
and then one a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import prod

from ...trace.record import Op, Trace
from .kernel import Kernel
from .names import PRODUCTS
from .sequences import GATES, Recurrent

Numbered = tuple[int, Op]


def recurrent_layers(trace: Trace) -> dict[int, Kernel | None]:
    """By operation: the kernel of the recurrent layers that begin there, None where an operation is
    a step of theirs."""
    found: dict[int, Kernel | None] = {}
    for steps in _calls(trace):
        kernel = _kernel(trace, [op for _, op in steps])
        if kernel:
            found.update(dict.fromkeys(index for index, _ in steps))
            found[steps[0][0]] = kernel
    return found


def _calls(trace: Trace) -> Iterator[list[Numbered]]:
    """The operations of each call of such a module."""
    of_call = groupby(enumerate(trace.forward), lambda pair: (pair[1].module, pair[1].call))
    for _, pairs in of_call:
        listed = list(pairs)
        if listed[0][1].module_type in GATES:
            yield listed


def _kernel(trace: Trace, steps: Sequence[Op]) -> Kernel | None:
    """None where the number of products is not that of the plain form, as with projections."""
    named = {
        name.rpartition(".")[2]: trace.params[i].shape
        for op in steps
        for i in op.params
        for name in trace.params[i].names
    }
    first = named.get("weight_ih_l0")
    kind = steps[0].module_type
    if first is None or any(name.startswith("weight_hr") for name in named):
        return None
    hidden, inputs = first[0] // GATES[kind], first[1]
    directions = 1 + ("weight_ih_l0_reverse" in named)
    layers = sum(name.startswith("weight_ih") for name in named) // directions
    products = sum(op.name in PRODUCTS for op in steps)
    length, rest = divmod(products, layers * directions)
    rows = _rows(trace, steps, inputs)
    if rest or length < 2 or rows % (length - 1):
        return None
    return Recurrent(
        *(kind, length - 1, rows // (length - 1), inputs, hidden, layers),
        bidirectional=directions == 2,
        bias="bias_ih_l0" in named,
    )


def _rows(trace: Trace, steps: Sequence[Op], inputs: int) -> int:
    """Of all steps together: of the first product's operand that is `inputs` wide."""
    first = next((op for op in steps if op.name in PRODUCTS), None)
    shapes = [trace.tensors[i].shape for i in first.inputs] if first else []
    return max((prod(s[:-1]) for s in shapes if s and s[-1] == inputs), default=1)

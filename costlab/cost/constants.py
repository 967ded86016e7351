"""Weights that are not parameters: buffers, and the constants of a frozen module."""

from __future__ import annotations

from ..trace.record import Trace
from .operand_roles import BIAS, OPERAND_ROLES, SCALE, WEIGHT, role_of_operand
from .sizes import VIEWS


def constant_operands(trace: Trace) -> int:
    """Elements of tensors that are not parameters, that no operation made and that are not
    inputs, but are weights, biases or scales: fixed filters, and what a frozen TorchScript
    module holds.
    Followed as parameters are."""
    computed = {i for op in trace.ops for i in op.outputs}
    known = computed | set(trace.inputs) | {p.tensor for p in trace.params}
    constants = {i for op in trace.forward for i in op.inputs if i not in known}
    # tensor -> the constant that it is, or is a view of
    constant_of = {i: i for i in constants}
    used: set[int] = set()
    for op in trace.forward:
        rule = OPERAND_ROLES.get(op.name)
        if rule:
            for k, i in enumerate(op.inputs):
                if i in constant_of and role_of_operand(rule, k) in (WEIGHT, BIAS, SCALE):
                    used.add(constant_of[i])
        elif op.name in VIEWS and op.inputs and op.inputs[0] in constant_of:
            constant_of.update(dict.fromkeys(op.outputs, constant_of[op.inputs[0]]))
    return sum(trace.tensors[i].numel for i in used)

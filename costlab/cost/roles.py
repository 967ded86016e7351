"""What each parameter is used for: a weight, a bias or a scale.

The role is that of the operand: which argument of which operation a parameter becomes, followed
through views and through arithmetic on parameters alone (weight normalization and standardization,
parametrizations, low-rank updates), never by the name of a module or an attribute.

- An operand of a product, or a table that rows are looked up in, is a weight.
- The bias argument of a product is a bias; the scale and shift arguments of a norm are a scale and
  a bias; the norm's input is not decided there, and followed further.
- In elementwise work a parameter with values in more than one dimension is a weight (a learned
  position, a filter of frequencies); one value a channel is a scale where it is multiplied and a
  bias otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..trace.cached import once_per_trace
from ..trace.record import Op, Param, Trace
from .operand_roles import ADDED, BIAS, MULTIPLIED, OPERAND_ROLES, SCALE, WEIGHT, role_of_operand
from .sizes import VIEWS


# position of an input, its tensor, the parameters that it is a form of
Operand = tuple[int, int, frozenset[int]]


@dataclass
class _Search:
    """Roles found so far. `carries`: tensor -> the parameters that it is a form of; `data`: tensors
    that depend on the input; `roles`: parameter -> the roles that it was found in."""

    trace: Trace
    carries: dict[int, frozenset[int]]
    data: set[int]
    roles: dict[int, set[str]] = field(default_factory=dict)

    def decide(self, params: Iterable[int], role: str) -> None:
        for p in params:
            self.roles.setdefault(p, set()).add(role)

    def visit(self, op: Op) -> None:
        """Find the roles of one operation's inputs, and what its outputs carry."""
        operands = [(k, i, self.carries.get(i, frozenset())) for k, i in enumerate(op.inputs)]
        if any(i in self.data for i in op.inputs):
            self.data.update(op.outputs)
        if not any(params for _, _, params in operands):
            return
        rule = OPERAND_ROLES.get(op.name)
        undecided = self._by_rule(rule, operands) if rule else self._by_size(op, operands)
        if rule and WEIGHT in rule:
            return  # a product's output is a value and no form of a parameter
        if op.name in VIEWS or not any(i in self.data for i in op.inputs):
            self.carries.update(dict.fromkeys(op.outputs, undecided))
        else:  # so is what depends on the input
            for p in undecided:
                self.decide((p,), _by_shape(self.trace.params[p], op))

    def _by_rule(self, rule: tuple[str | None, ...], operands: list[Operand]) -> frozenset[int]:
        """Decide what the rule says; the parameters that it leaves open."""
        undecided: set[int] = set()
        for k, _, params in operands:
            role = role_of_operand(rule, k)
            if role is None:
                undecided |= params
            else:
                self.decide(params, role)
        return frozenset(undecided)

    def _by_size(self, op: Op, operands: list[Operand]) -> frozenset[int]:
        """Where forms of parameters of several sizes meet, such as a gain and a filter, the smaller
        is a scale or a bias; the parameters that stay open."""
        largest = max(self.trace.tensors[i].numel for _, i, params in operands if params)
        nothing: frozenset[int] = frozenset()
        whole = nothing.union(
            *(params for _, i, params in operands if self.trace.tensors[i].numel == largest)
        )
        rest = nothing.union(*(params for _, _, params in operands)) - whole
        if op.name in MULTIPLIED or op.name in ADDED:
            self.decide(rest, SCALE if op.name in MULTIPLIED else BIAS)
            return whole
        return whole | rest


def _values_in(param: Param) -> int:
    """Dimensions with more than one value."""
    return sum(n > 1 for n in param.shape)


def _by_shape(param: Param, op: Op | None) -> str:
    if _values_in(param) > 1:
        return WEIGHT
    return SCALE if op is not None and op.name in MULTIPLIED else BIAS


@once_per_trace
def roles(trace: Trace) -> tuple[str, ...]:
    """The role of each parameter: "weight", "bias" or "scale". One that is used in several is a
    weight before a scale, and a scale before a bias; one that no operation uses goes by its
    shape."""
    carries = {p.tensor: frozenset((i,)) for i, p in enumerate(trace.params)}
    search = _Search(trace, carries, set(trace.inputs))
    for op in trace.forward:
        search.visit(op)
    for i, p in enumerate(trace.params):
        if i not in search.roles:
            search.decide((i,), _by_shape(p, None))
    return tuple(
        next(r for r in (WEIGHT, SCALE, BIAS) if r in search.roles[i])
        for i in range(len(trace.params))
    )


def role_of(trace: Trace, index: int) -> str:
    """The role of one parameter: "weight", "bias" or "scale"."""
    return roles(trace)[index]


def is_weight(trace: Trace, index: int) -> bool:
    """Whether a parameter is a weight in the papers' sense, not a bias or a scale."""
    return roles(trace)[index] == WEIGHT

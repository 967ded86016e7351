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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..trace.cached import once_per_trace
from ..trace.record import Op, Param, Trace
from .formulas.quantized import PRODUCTS as QUANTIZED_PRODUCTS
from .registry import aten
from .sizes import VIEWS

WEIGHT, BIAS, SCALE = "weight", "bias", "scale"


def _rules() -> dict[str, tuple[str | None, ...]]:
    """Operation -> the role of each tensor input in order; None: not decided here. What comes
    after the last is like the last."""
    convolution = (WEIGHT, WEIGHT, BIAS)
    added = (BIAS, WEIGHT, WEIGHT)
    norm = (None, SCALE, BIAS, None)
    lookup = (WEIGHT, None)
    groups = {
        convolution: aten(
            "convolution _convolution convolution_overrideable cudnn_convolution "
            "mkldnn_convolution conv_tbc"
        )
        + QUANTIZED_PRODUCTS,
        added: aten("addmm baddbmm addbmm addmv addr _addmm_activation _sparse_addmm"),
        (WEIGHT,): aten("mm bmm mv dot vdot ger _int_mm _trilinear linalg_solve_triangular"),
        (WEIGHT, WEIGHT, None): aten("_grouped_mm"),
        (WEIGHT, WEIGHT, SCALE): aten("_scaled_mm"),
        (WEIGHT, WEIGHT, None, None, BIAS): ("torchvision.deform_conv2d",),
        norm: aten(
            "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
            "cudnn_batch_norm _batch_norm_with_update _batch_norm_no_update native_layer_norm "
            "native_group_norm _fused_rms_norm"
        ),
        (None, SCALE): aten("_weight_norm_interface _prelu_kernel"),
        lookup: aten("embedding _embedding_bag _embedding_bag_forward_only"),
    }
    return {name: roles for roles, names in groups.items() for name in names}


_RULES = _rules()
_MULTIPLIED = frozenset(aten("mul mul_ div div_ addcmul"))
_ADDED = frozenset(aten("add add_ sub sub_ rsub"))


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
        rule = _RULES.get(op.name)
        if rule:
            open_ = self._by_rule(rule, operands)
            product = WEIGHT in rule
        else:
            open_ = self._by_size(op, operands)
            product = False
        # what is made of the input, or by a product, is a value and no form of a parameter
        if not product and not any(i in self.data for i in op.inputs):
            self.carries.update(dict.fromkeys(op.outputs, open_))
        elif not product:
            if _is_view(op):
                self.carries.update(dict.fromkeys(op.outputs, open_))
            else:
                for p in open_:
                    self.decide((p,), _by_shape(self.trace.params[p], op))

    def _by_rule(self, rule, operands) -> frozenset[int]:
        """Decide what the rule says; the parameters that it leaves open."""
        open_: set[int] = set()
        for k, _, params in operands:
            role = rule[min(k, len(rule) - 1)]
            if role is None:
                open_ |= params
            else:
                self.decide(params, role)
        return frozenset(open_)

    def _by_size(self, op, operands) -> frozenset[int]:
        """Where forms of parameters of several sizes meet, such as a gain and a filter, the smaller
        is a scale or a bias; the parameters that stay open."""
        largest = max(self.trace.tensors[i].numel for _, i, params in operands if params)
        whole = frozenset().union(
            *(params for _, i, params in operands if self.trace.tensors[i].numel == largest)
        )
        rest = frozenset().union(*(params for _, _, params in operands)) - whole
        if op.name in _MULTIPLIED or op.name in _ADDED:
            self.decide(rest, SCALE if op.name in _MULTIPLIED else BIAS)
            return whole
        return whole | rest


def _is_view(op: Op) -> bool:
    return op.name in VIEWS


def _values_in(param: Param) -> int:
    """Dimensions with more than one value."""
    return sum(n > 1 for n in param.shape)


def _by_shape(param: Param, op: Op | None) -> str:
    if _values_in(param) > 1:
        return WEIGHT
    return SCALE if op is not None and op.name in _MULTIPLIED else BIAS


@once_per_trace
def roles(trace: Trace) -> tuple[str, ...]:
    """The role of each parameter: "weight", "bias" or "scale". One that is used in several is a
    weight before a scale, and a scale before a bias; one that no operation uses goes by its
    shape."""
    home: dict[int, frozenset[int]] = {}
    for i, p in enumerate(trace.params):
        home[p.tensor] = frozenset((i,))
    search = _Search(trace, home, set(trace.inputs))
    for op in trace.forward:
        search.visit(op)
    for p in _left_open(trace, search):
        search.decide((p,), _by_shape(trace.params[p], None))
    return tuple(
        next(r for r in (WEIGHT, SCALE, BIAS) if r in search.roles[i])
        for i in range(len(trace.params))
    )


def _left_open(trace: Trace, search: _Search) -> Iterator[int]:
    return (i for i in range(len(trace.params)) if i not in search.roles)


def role_of(trace: Trace, index: int) -> str:
    """The role of one parameter: "weight", "bias" or "scale"."""
    return roles(trace)[index]


def is_weight(trace: Trace, index: int) -> bool:
    """Whether a parameter is a weight in the papers' sense, not a bias or a scale."""
    return roles(trace)[index] == WEIGHT


def constant_operands(trace: Trace) -> int:
    """Elements of tensors that are no parameter, that no operation made and that are no input, but
    are weights or biases of products: what a frozen TorchScript model holds. Followed as
    parameters are."""
    made = {i for op in trace.ops for i in op.outputs}
    known = made | set(trace.inputs) | {p.tensor for p in trace.params}
    constants = {i for op in trace.forward for i in op.inputs if i not in known}
    home = {i: frozenset((i,)) for i in constants}
    found: set[int] = set()
    for op in trace.forward:
        rule = _RULES.get(op.name)
        if rule:
            for k, i in enumerate(op.inputs):
                if rule[min(k, len(rule) - 1)] in (WEIGHT, BIAS):
                    found |= home.get(i, frozenset())
        elif op.name in VIEWS and op.inputs and op.inputs[0] in home:
            home.update(dict.fromkeys(op.outputs, home[op.inputs[0]]))
    return sum(trace.tensors[i].numel for i in found)

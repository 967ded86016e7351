"""Whether the operations of a trace that was read fit their formulas."""

from __future__ import annotations

from collections.abc import Callable

from .._narrow import is_tuple
from .._text import shown
from ..trace.files import on_load
from ..trace.record import Op, Trace
from ..trace.decoded import MisfitError
from .executed import partial_work
from .op_cost import Cost, cost_of
from .operators import forms_of_params
from .roles import roles

# what arithmetic on an operation raises that has other inputs or attributes than it should
UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
_MOST = 2**200  # of any count: what is larger cannot be shown as a number of floating point
_WHOLE = ("kernel_size", "stride", "dilation", "groups")
_LARGEST_WINDOW = 2**62
_OF_THE_WHOLE: tuple[Callable[[Trace], object], ...] = (roles, forms_of_params, partial_work)


@on_load
def require_costs(trace: Trace) -> None:
    """Refuse a trace of which an operation has no cost: it lacks an input or an attribute that its
    formula takes, or has one of another type. Raises MisfitError."""
    for k, op in enumerate(trace.ops):
        if not _fits_argument_types(op):
            raise unfit(k, op)
        try:
            cost = cost_of(trace, op)
        except UNFIT as e:
            raise unfit(k, op) from e
        if not _is_a_count(cost):
            raise unfit(k, op)
    for facts in _OF_THE_WHOLE:
        try:
            facts(trace)
        except UNFIT as e:
            raise MisfitError("its operations are inconsistent") from e


def unfit(k: int, op: Op) -> MisfitError:
    """What is wrong with the k-th operation."""
    name = shown(op.name)[:80]
    return MisfitError(f"ops[{k}]: its inputs, outputs and attributes are not those of {name}")


def _fits_argument_types(op: Op) -> bool:
    """Whether torch takes the arguments that tables print: windows of whole numbers, the share that
    dropout leaves out."""
    if op.name.startswith("aten.") and not all(
        _is_whole(op.attrs[name]) for name in _WHOLE if name in op.attrs
    ):
        return False
    share = op.attrs.get("p", 0) if "dropout" in op.name else 0
    return type(share) in (int, float) and 0 <= share <= 1


def _is_whole(value: object) -> bool:
    """Whether an argument is a whole number from 0 up, a tuple of these, or not given."""
    if is_tuple(value):
        return all(map(_is_whole, value))
    return value is None or (type(value) is int and 0 <= value < _LARGEST_WINDOW)


def _is_a_count(cost: Cost) -> bool:
    counts = cost.macs, cost.flops, cost.outputs, cost.read, cost.written, cost.integer_macs
    return all(0 <= n < _MOST for n in counts)

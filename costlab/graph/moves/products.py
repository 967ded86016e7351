"""Products of matrices, and lookups in a table."""

from __future__ import annotations

from ...cost.formulas import quantized
from .record import Everything, Mix, Insert, Operand, Plan, Reduce
from .registry import Case, rule


def _product(a: int, b: int, lead: int, *, added: bool = False) -> Plan:
    """Rows of operand a by columns of operand b, after `lead` dimensions that both have."""
    rows, columns = Operand(a, (Reduce((lead + 1,), True),)), Operand(b, (Reduce((lead,), True),))
    more = (Operand(0),) if added else ()
    return Plan((rows, columns, *more), features=(lead + 1, a, lead + 1))


@rule(*quantized.LINEAR, *quantized.HALF)
def _linear(case: Case) -> Plan | None:
    last = len(case.out) - 1
    rows = Operand(0, (Mix(last, case.out[last], features=True),))
    return Plan((rows, Operand(1, (Everything(),))), roles=((last, "channel"),), channels=last)


@rule("mm")
def _mm(case: Case) -> Plan | None:
    return _product(0, 1, 0)


@rule("addmm")
def _addmm(case: Case) -> Plan | None:
    return _product(1, 2, 0, added=True)


@rule("bmm")
def _bmm(case: Case) -> Plan | None:
    return _product(0, 1, 1)


@rule("baddbmm")
def _baddbmm(case: Case) -> Plan | None:
    return _product(1, 2, 1, added=True)


@rule("mv", "dot")
def _mv(case: Case) -> Plan | None:
    moves = (Reduce((0,), False),)
    return Plan((Operand(0, (Reduce((len(case.shapes[0]) - 1,), False),)), Operand(1, moves)))


@rule("embedding")
def _embedding(case: Case) -> Plan | None:
    n = len(case.out)
    return Plan((Operand(1, (Insert(n - 1),)),), channels=n - 1)

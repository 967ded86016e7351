"""Tensors side by side, and borders around one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .record import Insert, Operand, Plan, Positions, Windows
from .registry import Case, places, plain, rule, taken


@rule("cat", "concatenate", "_cat", "quantized.cat", "quantized.cat_relu")
def _cat(case: Case) -> Plan | None:
    return Plan(
        tuple(map(Operand, range(len(case.shapes)))), concat=case.attr("dim", 0) % len(case.out)
    )


@rule("stack")
def _stack(case: Case) -> Plan | None:
    d = case.attr("dim", 0) % len(case.out)
    return Plan(tuple(Operand(i, (Insert(d),)) for i in range(len(case.shapes))), concat=d)


@rule("constant_pad_nd", "pad")
def _pad(case: Case) -> Plan | None:
    return plain(*_padded(case, lambda positions, n: positions))


@rule(*(f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)))
def _mirror(case: Case) -> Plan | None:
    if "replication" in case.op.name:
        return plain(*_padded(case, lambda p, n: np.clip(p, 0, n - 1)))
    return plain(*_padded(case, lambda p, n: n - 1 - np.abs(n - 1 - np.abs(p))))


def _padded(case: Case, inside: Callable[[Positions, int], Positions]) -> Iterator[Windows]:
    pad, n = case.attr("pad", case.attr("padding", ())), len(case.out)
    for i in range(len(pad) // 2):
        d, before = n - 1 - i, pad[2 * i]
        if case.out[d] != case.shapes[0][d] or before:
            yield taken(d, inside(places(case.out[d]) - before, case.shapes[0][d]))

"""The counting conventions that are tried, the plainest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from .cells import CUT_OFF, ROUNDINGS, Printed

KINDS = ("params", "ops")  # the cells that are counts


@dataclass(frozen=True)
class Counts:
    """Exact counts: `weights`, `biases`, `norms` (norm scales and shifts) in elements; `macs`."""

    weights: int
    biases: int
    macs: int
    norms: int = 0


@dataclass(frozen=True)
class Rule:
    """A counting convention for one kind of cell (params or ops).

    `base`: what K stands for; `factor`: ops a multiply-add; `bias`: biases are counted as params;
    `norm`: norm scales are too."""

    kind: str
    base: int
    rounding: str
    bias: bool = False
    factor: int = 1
    norm: bool = False

    def value(self, counts: Counts) -> int:
        """The exact count under this rule, in params or in ops."""
        if self.kind == "ops":
            return counts.macs * self.factor
        biases = counts.biases if self.bias else 0
        return counts.weights + biases + (counts.norms if self.norm else 0)

    def fits(self, number: Printed, counts: Counts, off: float = CUT_OFF) -> bool:
        """Whether the count under this rule prints as `number`, see `Printed.fits`."""
        return number.fits(self.value(counts), self.base, self.rounding, off)

    def counts_like(self, other: Rule) -> bool:
        """Whether two rules count the same things in the same base; their rounding may differ."""
        return (self.base, self.bias, self.norm, self.factor) == (
            other.base,
            other.bias,
            other.norm,
            other.factor,
        )


def _params_rules():
    counted = ((False, False), (True, False), (True, True))
    for (bias, norm), base, rounding in product(counted, (1024, 1000), ROUNDINGS):
        yield Rule("params", base, rounding, bias, norm=norm)


def _ops_rules():
    for factor, base, rounding in product((1, 2), (1000, 1024), ROUNDINGS):
        yield Rule("ops", base, rounding, factor=factor)


# the plainest first: a tie between conventions goes to the earlier one
RULES = {"params": tuple(_params_rules()), "ops": tuple(_ops_rules())}

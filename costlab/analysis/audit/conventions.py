"""The counting conventions that are tried, the plainest first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

from .cells import ROUNDINGS, Printed

KINDS = ("params", "ops")  # the cells that are counts


@dataclass(frozen=True)
class Counts:
    """Exact counts: `weights`, `biases`, `norms` (norm scales and shifts) in elements; `macs`;
    `bias_adds`: additions of biases, one an output element."""

    weights: int
    biases: int
    macs: int
    norms: int = 0
    bias_adds: int = 0


@dataclass(frozen=True)
class Rule:
    """A counting convention for one kind of cell (params or ops), with its rounding.

    `base`: what K stands for; `factor`: ops a multiply-add; `bias`: biases are counted, as params
    or as additions; `norm`: norm scales and shifts are counted as params."""

    kind: str
    base: int
    rounding: str
    bias: bool = False
    factor: int = 1
    norm: bool = False

    def value(self, counts: Counts) -> int:
        """The exact count under this rule, in params or in ops."""
        if self.kind == "ops":
            return counts.macs * self.factor + (counts.bias_adds if self.bias else 0)
        biases = counts.biases if self.bias else 0
        return counts.weights + biases + (counts.norms if self.norm else 0)

    def prints(self, number: Printed, counts: Counts) -> int:
        """What the count is with the digits of `number`, in units of its last digit."""
        return number.prints(self.value(counts), self.base, self.rounding)

    def fits(self, number: Printed, counts: Counts) -> bool:
        """Whether the count under this rule prints as `number`, see `Printed.fits`."""
        return number.fits(self.value(counts), self.base, self.rounding)

    def counts_like(self, other: Rule) -> bool:
        """Whether two rules count the same things in the same base; their rounding may differ."""
        return self._counted == other._counted

    @property
    def _counted(self) -> tuple[str, int, bool, int, bool]:
        return self.kind, self.base, self.bias, self.factor, self.norm


def _params_rules():
    counted = ((False, False), (True, False), (True, True))
    for (bias, norm), base, rounding in product(counted, (1024, 1000), ROUNDINGS):
        yield Rule("params", base, rounding, bias, norm=norm)


def _ops_rules():
    for bias, factor, base in product((False, True), (1, 2), (1000, 1024)):
        for rounding in ROUNDINGS:
            yield Rule("ops", base, rounding, bias, factor)


# the plainest first: a tie between conventions goes to the earlier one
RULES = {"params": tuple(_params_rules()), "ops": tuple(_ops_rules())}


@cache
def roundings_of(rule: Rule) -> tuple[Rule, ...]:
    """The rules that count like this one, itself first."""
    others = (r for r in RULES[rule.kind] if r.counts_like(rule) and r != rule)
    return (rule, *others)

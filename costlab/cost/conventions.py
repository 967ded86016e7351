"""Named counting conventions: how exact integers become the numbers that a table prints."""

from __future__ import annotations

from dataclasses import dataclass

from .totals import Total
from .units import in_unit, scaled


@dataclass(frozen=True)
class Convention:
    """What a table's params and ops mean, and how they are shortened for people.

    Attributes:
        name: as `--convention` takes it.
        bias: whether biases and the scales and shifts of norms count as params.
        kilo: what one K of params is.
        mega: what one M of ops is.
        note: the line that every output states.
        scaled: whether each number takes the unit that suits its size (25.56M, 2.56K) instead of
            one unit a column (params in K, ops in M), as the papers of 2014 and 2015 print them.
    """

    name: str
    bias: bool
    kilo: int
    mega: int
    note: str
    scaled: bool = False

    def params(self, total: Total) -> int:
        """The elements of a total that count as params."""
        return total.params if self.bias else total.weights

    def spell_params(self, elements: float) -> str:
        """Params as tables and pictures print them: 163.33K, or 159.5K of 1,024."""
        return scaled(elements) if self.scaled else in_unit(elements, self.kilo, "K")

    def spell_ops(self, macs: float) -> str:
        """Multiply-adds as tables and pictures print them: 1.58G, or 1,583M."""
        return scaled(macs) if self.scaled else in_unit(macs, self.mega, "M")


CONVENTIONS = {
    c.name: c
    for c in (
        Convention(
            "macs",
            True,
            1000,
            10**6,
            "convention macs: params with biases and norm scales, K = 1000, M = 1e6, "
            "one op = one multiply-add (MAC)",
            scaled=True,
        ),
        Convention(
            "paper",
            False,
            1024,
            10**6,
            "convention paper: weights only, K = 1024, M = 1e6, one op = one multiply-add (MAC)",
        ),
    )
}

"""A limit in one line: `[BLOCK:] QUANTITY RELATION VALUE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..._spelling import suggestion
from ..._text import brief
from .quantities import QUANTITIES, Unit

_LONGEST = 500  # characters of a limit
_EXPRESSION = re.compile(
    r"\s*(?:(?P<block>[^\s:<>=]+)\s*:)?\s*(?P<quantity>[a-zA-Z][\w-]*)\s*"
    r"(?P<relation>[<>]=?)\s*(?P<value>.+?)\s*"
)
_VALUE = re.compile(r"(?P<sign>[+-]?)(?P<number>\d[\d,_]*(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?P<unit>\S*)")
_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_BYTES = {
    "": 1.0,
    "b": 1.0,
    **{f"{letter}b": 1e3**i for i, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024.0**i for i, letter in enumerate("kmgt", 1)},
}
_SUFFIXES: dict[Unit, dict[str, float]] = {
    "count": _COUNTS,
    "bytes": _BYTES,
    "seconds": {"s": 1.0, "ms": 1e-3, "us": 1e-6},
    "milliseconds": {"": 1e-3, "s": 1.0, "ms": 1e-3, "us": 1e-6},
    "money": {"": 1.0},
    "positions": {"": 1.0},
}
_EXAMPLES: dict[Unit, str] = {
    "count": "2.1G",
    "bytes": "300MB",
    "seconds": "3.2ms",
    "milliseconds": "3.2",
    "money": "2.50",
    "positions": "299",
}
HELP = "write for example 'macs <= 2.1G', 'params > +1%' or 'stages.2: macs > +10M'"

Basis = Literal["value", "percent", "difference"]


class LimitError(ValueError):
    """An expression that is not a limit, or one that this trace cannot answer; one line that quotes
    it."""


@dataclass(frozen=True)
class Limit:
    """A condition on a model.

    Attributes:
        text: as it was written.
        block: module path; "" for the whole model.
        quantity: a name of `QUANTITIES`.
        relation: >, >=, < or <=.
        bound: in the unit of the quantity; of a "percent" a fraction, 0.01 for +1%.
        basis: what is compared with the bound: the head's value, or its change from the base as a
            share of the base or as a difference.
    """

    text: str
    block: str
    quantity: str
    relation: Literal[">", ">=", "<", "<="]
    bound: float
    basis: Basis

    @property
    def relative(self) -> bool:
        """Whether it needs a base."""
        return self.basis != "value"


def parse(text: str) -> Limit:
    """Read a limit: `macs <= 2.1G`, `peak > +10MB`, `stages.2: params > +1%`.

    A sign makes the value a change from the base: `+1%` of it, or `+10M` beyond it. Counts take K,
    M, G (or B) and T, powers of 1,000; bytes take kB, MB, GB and KiB, MiB, GiB; times s, ms and us,
    and of a profile's times no suffix is ms.

    Raises LimitError."""
    if len(text) > _LONGEST:
        raise LimitError(f"{brief(text)} has more than {_LONGEST} characters; {HELP}")
    found = _EXPRESSION.fullmatch(text)
    if not found:
        raise LimitError(f"{text!r} is not a limit; {HELP}")
    quantity = _quantity(text, found["quantity"])
    bound, basis = _bound(text, quantity, found["value"])
    relation = found["relation"]
    assert relation in (">", ">=", "<", "<=")
    return Limit(text.strip(), found["block"] or "", quantity, relation, bound, basis)


def _quantity(text: str, name: str) -> str:
    """The name of a quantity, whatever its case and its hyphens."""
    known = name.lower().replace("_", "-")
    if known in QUANTITIES:
        return known
    hint = suggestion(known, QUANTITIES, 1) or f"; it can be on {', '.join(QUANTITIES)}"
    raise LimitError(f"{text!r} limits {name!r}, which costlab does not count{hint}")


def _bound(text: str, quantity: str, value: str) -> tuple[float, Basis]:
    """The number of an expression in the unit of its quantity, and what it is compared with."""
    unit = QUANTITIES[quantity].unit
    found = _VALUE.fullmatch(value)
    if not found:
        raise LimitError(f"{text!r}: {value!r} is not a value; write for example {_EXAMPLES[unit]}")
    sign, suffix = found["sign"], found["unit"]
    number = float(found["number"].replace(",", "").replace("_", ""))
    signed = -number if sign == "-" else number
    if suffix == "%":
        if not sign:
            raise LimitError(
                f"{text!r}: a percentage is a change from the base and needs its sign; "
                f"write +{value} or -{value}"
            )
        return signed / 100, "percent"
    suffixes = _SUFFIXES[unit]
    if suffix.lower() not in suffixes:
        known = ", ".join(s for s in suffixes if s)
        takes = f"takes {known}" if known else "takes a plain number"
        raise LimitError(
            f"{text!r}: {suffix or 'no unit'!r} does not suit {quantity}, which {takes}"
        )
    return signed * suffixes[suffix.lower()], "difference" if sign else "value"

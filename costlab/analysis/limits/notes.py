"""What is said of limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cost.units import scaled
from ...predict import milliseconds, significant
from .quantities import PREDICTED, PRICES, QUANTITIES, Unit

if TYPE_CHECKING:
    from .expression import Limit
    from .judge import Judgement


def no_base(limit: Limit) -> str:
    """A relative limit without a base."""
    return f"{limit.text!r} is a change from a base, and there is none; write an absolute limit"


def no_block(limit: Limit, of_base: bool, hint: str) -> str:
    """A block that the head, or the base, does not have."""
    return f"{limit.text!r}: {_model(of_base)} has no module {limit.block!r} that runs{hint}"


def gone(limit: Limit) -> str:
    """A block that the base has, and nothing of the head stands for."""
    return f"{limit.text!r}: module {limit.block!r} of the base has no counterpart in the model"


def no_value(limit: Limit, of_base: bool) -> str:
    """A quantity that the trace of the head, or of the base, does not have."""
    if limit.quantity == "time":
        why = "was not measured; measure it with `costlab trace MODEL --measure`"
        return f"{limit.text!r}: {_model(of_base)} {why}"
    if limit.quantity in _PROFILES:
        return f"{limit.text!r}: {_PROFILES[limit.quantity]}"
    return f"{limit.text!r}: the {limit.quantity} of {_model(of_base)} is not known"


_CALIBRATED = "it needs a `profile` that was calibrated, a .device file{}; of a datasheet limit {}"
_BOUND = (
    "it needs a datasheet as `profile`, by name or as a .toml file{}; of a .device file limit {}"
)
_RATE = ", and `rate`, the price of an hour"
_PROFILES = {
    **{name: _CALIBRATED.format("", "at-least-ms") for name in PREDICTED if name not in PRICES},
    **{name: _CALIBRATED.format(_RATE, "at-least-price") for name in PRICES},
    "at-least-ms": _BOUND.format("", "predicted-ms"),
    "at-least-price": _BOUND.format(_RATE, "predicted-price"),
}


def _model(of_base: bool) -> str:
    return "the model of the base" if of_base else "the model"


def judgement(j: Judgement) -> str:
    """`macs 1.58G -> 1.63G (+3.2%), limit: macs > +1%`; before it the block, and what it was
    called."""
    unit = QUANTITIES[j.limit.quantity].unit
    was = "" if j.called.base == j.called.head else f" (was {j.called.base})"
    where = f"{j.called.head}{was}: " if j.called.head else ""
    if j.base is None:
        figures = spell(j.head, unit)
    else:
        figures = f"{spell(j.base, unit)} -> {spell(j.head, unit)}{_share(j.base, j.head)}"
    return f"{where}{j.limit.quantity} {figures}, limit: {j.limit.text}"


def spell(value: float, unit: Unit) -> str:
    """A value in the unit that suits it: 1.58G, 12.40MB, 3.21 ms."""
    if unit == "seconds":
        return f"{1e3 * value:.3f} ms"
    if unit == "milliseconds":
        return f"{milliseconds(value)} ms"
    if unit == "money":
        return significant(value)
    if unit == "bytes":
        text = scaled(round(value))
        return f"{text}B" if text[-1].isalpha() else f"{text} B"
    return scaled(round(value))


def _share(base: float, head: float) -> str:
    """The change in brackets, in percent; nothing where there is none to divide by."""
    return f" ({100 * (head - base) / abs(base):+.2f}%)" if base else ""

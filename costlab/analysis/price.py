"""What a model costs on a device in money and in energy: from its measured or predicted time, and a
rate that the user gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..predict import Estimate, prediction_of, rate_of
from ..tables import Column
from ..tables.predicted import IMPORTANCE, spell_numbers
from ..trace import Trace

_HOUR = 3600.0  # seconds
MILLION = 10**6
Basis = Literal["measured", "predicted", "at least"]


@dataclass(frozen=True)
class Price:
    """The price of a million inputs on a device that is busy all the time.

    Attributes:
        rate: of an hour of the device, in any currency, which the others are in too.
        by: what the time is: "measured", "predicted" or "at least".
        items: inputs of one call.
        low, high: by the interval of the time; of "at least" `low` alone is known.
        price: by the time itself; None of "at least".
    """

    rate: float
    by: Basis
    items: int
    low: float
    price: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Energy:
    """Joules of one call of `items` inputs: `counted` by the energy counter of NVML, or the time by
    the `watts` that NVML read while it ran."""

    joules: float
    items: int
    watts: float | None = None

    @property
    def counted(self) -> bool:
        """Whether it is by a counter."""
        return self.watts is None


def items_of(trace: Trace) -> int:
    """The inputs of a call: the first dimension of the first one."""
    shape = trace.tensors[trace.inputs[0]].shape if trace.inputs else ()
    return max(1, shape[0]) if shape else 1


def prices(trace: Trace) -> tuple[Price, ...]:
    """The price of a million inputs by the measured time of a trace, and by its predicted one;
    none without a rate."""
    rate, items = rate_of(trace), items_of(trace)
    if rate is None:
        return ()
    found: list[Price] = []
    if trace.measured:
        whole = trace.measured.total
        time = Estimate(whole.low, whole.median, whole.high)
        found.append(price_of(rate, "measured", items, time))
    if prediction := prediction_of(trace):
        kind = "at least" if prediction.total.is_bound else "predicted"
        found.append(price_of(rate, kind, items, prediction.total))
    return tuple(found)


def price_of(rate: float, by: Basis, items: int, time: Estimate) -> Price:
    """The price by the time of a call, in seconds."""
    second = _of_a_second(rate, items)
    return Price(
        rate,
        by,
        items,
        second * time.low,
        None if time.seconds is None else second * time.seconds,
        None if time.high is None else second * time.high,
    )


def price_of_a_second(trace: Trace) -> float | None:
    """What a million inputs cost for each second of a call; None without a rate."""
    rate = rate_of(trace)
    return None if rate is None else _of_a_second(rate, items_of(trace))


def _of_a_second(rate: float, items: int) -> float:
    return MILLION * rate / _HOUR / items


def spell_price(price: Price) -> str:
    """1.23 (1.10 to 1.38), or of "at least" 0.912."""
    return spell_numbers(list(_numbers(price).values()))


def price_columns(kinds: Iterable[Basis]) -> tuple[Column, ...]:
    """One column a kind for people, which has the interval too, and for machines one a number."""
    return tuple(
        column
        for kind in dict.fromkeys(kinds)
        for column in (
            Column(f"price ({kind})", print_only=True, importance=IMPORTANCE),
            *(Column(f"price, {kind}{end}", format=",.6g", detail=True) for end in _ENDS[kind]),
        )
    )


def price_cells(found: Iterable[Price]) -> dict[str, float | str]:
    """The cells of `price_columns`."""
    cells: dict[str, float | str] = {}
    for price in found:
        cells[f"price ({price.by})"] = spell_price(price)
        cells |= {f"price, {price.by}{end}": v for end, v in _numbers(price).items()}
    return cells


_ENDS: dict[Basis, tuple[str, ...]] = {
    "measured": ("", ", low", ", high"),
    "predicted": ("", ", low", ", high"),
    "at least": ("",),
}


def _numbers(price: Price) -> dict[str, float]:
    """The price and the ends of its interval, by `_ENDS`."""
    if price.price is None or price.high is None:
        return {"": price.low}
    return {"": price.price, ", low": price.low, ", high": price.high}


def energy_of(trace: Trace) -> Energy | None:
    """The energy of a call of a measured trace; None where NVML gave no reading."""
    if trace.measured is None:
        return None
    where, items = trace.measured.conditions, items_of(trace)
    if "joules" in where:
        return Energy(where["joules"], items)
    watts = where.get("clocks after", {}).get("watts")
    return None if watts is None else Energy(watts * trace.measured.total.median, items, watts)

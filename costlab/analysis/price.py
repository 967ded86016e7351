"""What a model costs on a device in money and in energy: from its measured or predicted time, and a
rate that the user gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from ..predict import Estimate, Prediction, prediction_of
from ..trace import Trace

_HOUR = 3600.0  # seconds
MILLION = 10**6


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
    by: Literal["measured", "predicted", "at least"]
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


def prices(trace: Trace, rate: float) -> tuple[Price, ...]:
    """The price of a million inputs by the measured time of a trace, and by its predicted one.

    Raises ValueError for a rate that is not above 0, and for a trace without a time."""
    if not (isfinite(rate) and rate > 0):
        raise ValueError(f"a rate of {rate} an hour is no price; give a number above 0")
    found: list[Price] = []
    items = items_of(trace)
    if trace.measured:
        whole = trace.measured.total
        found.append(_price(rate, "measured", items, Estimate(whole.low, whole.median, whole.high)))
    if prediction := prediction_of(trace):
        found.append(_price(rate, _kind(prediction), items, prediction.total))
    if not found:
        raise ValueError(
            f"{trace.provenance['model']} has no time to price by; name a device with `profile`, "
            "or make a trace with `costlab trace MODEL --measure`"
        )
    return tuple(found)


def _kind(prediction: Prediction) -> Literal["predicted", "at least"]:
    return "at least" if prediction.total.is_bound else "predicted"


def _price(
    rate: float, by: Literal["measured", "predicted", "at least"], items: int, time: Estimate
) -> Price:
    """The price by the time of a call."""
    each = MILLION * rate / _HOUR / items
    return Price(
        rate,
        by,
        items,
        each * time.low,
        None if time.seconds is None else each * time.seconds,
        None if time.high is None else each * time.high,
    )


def energy_of(trace: Trace) -> Energy | None:
    """The energy of a call of a measured trace; None where NVML gave no reading."""
    if trace.measured is None:
        return None
    where, items = trace.measured.conditions, items_of(trace)
    if "joules" in where:
        return Energy(where["joules"], items)
    watts = where.get("clocks after", {}).get("watts")
    return None if watts is None else Energy(watts * trace.measured.total.median, items, watts)

"""Whole networks, timed several times apart from each other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from accounts import Account
from cases import Case

from costlab.measure.ceilings import precision
from costlab.predict.calibration.limits import release_memory
from costlab.predict.calibration.steadiness import Steadiness
from costlab.predict.calibration.whole import time_model

Timer = Callable[[str, torch.nn.Module, Any], float]


def timer_on(steadiness: Steadiness, conditions: tuple[str, str]) -> Timer:
    """A timer of whole networks on the device in hand, in a dtype and a layout, while it works at
    its usual speed."""
    (dtype, layout), device = conditions, steadiness.device

    def timed(name: str, model: torch.nn.Module, inputs: Any) -> float:
        with torch.inference_mode(), precision(dtype):
            seconds = steadiness.undisturbed(
                lambda: time_model(device, model.eval(), inputs, dtype, layout)
            )
        release_memory(device)
        return seconds.median

    return timed


def measured_again(
    found: Mapping[str, Account],
    cases: Mapping[str, Case],
    timer: Timer,
    rounds: int,
    until: float = math.inf,
) -> dict[str, Account]:
    """The accounts with each case timed in so many `rounds`, of which they have the first. The
    shortest counts, as `timeit` advises: what else a machine does makes a call longer, never
    shorter, and calibration keeps what is least disturbed too. Fewer rounds where the time is
    over."""
    seconds = {name: [account.measured] for name, account in found.items()}
    for name in (name for _ in range(rounds - 1) for name in found):
        if time.monotonic() > until:
            print(f"the time is over at {name} in round {len(seconds[name]) + 1}")
            break
        model, inputs = cases[name].make()
        seconds[name].append(timer(name, model, inputs))
    return {
        name: replace(account, measured=min(seconds[name]), rounds=tuple(seconds[name]))
        for name, account in found.items()
    }


def slowdown(steadiness: Steadiness, calibrated: Mapping[str, float]) -> float | None:
    """How many times as long the reference product takes now as while the device was calibrated,
    by the clocks of its file; None where either is not known."""
    now = steadiness.clocks().get("product_ms")
    before = calibrated.get("product_ms")
    return now / before if now and before else None

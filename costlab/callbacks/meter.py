"""The cost of each training step, its time, and the utilization that follows."""

from __future__ import annotations

import logging
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .ceiling import Ceiling
from .clocks import Clock
from .step_cost import Call, StepCost, cost_of_call, summed

LOG = logging.getLogger("costlab")


@dataclass(frozen=True)
class _Step:
    """A step that has run: its cost, and the moments from which and to which it is timed."""

    cost: StepCost
    start: Any
    end: Any


class Meter:
    """What steps cost and take, on one device.

    A step is timed from the end of the one before, so that waiting for data counts; after an
    interruption (evaluation, a checkpoint, a trace) from its own start. The first step of a shape,
    in which compilers and libraries set themselves up, is not timed.

    Args:
        clock: of the device.
        ceiling: what MFU is a share of; None: MFU is not given.
        params: elements of the model's parameters.
        window: steps that medians are of.
        max_shapes: at most so many different calls are traced.
    """

    def __init__(
        self,
        clock: Clock,
        ceiling: Ceiling | None,
        *,
        params: int,
        window: int = 20,
        max_shapes: int = 8,
    ):
        self._clock, self._ceiling, self._params = clock, ceiling, params
        self._max_shapes = max_shapes
        self._costs: dict[tuple[object, ...], StepCost | None] = {}
        self._calls: list[Call] = []
        self._start: Any = None  # of the step that runs
        self._last_end: Any = None
        self._waiting: deque[_Step] = deque(maxlen=window)  # for the device to come to their end
        self._timed: deque[tuple[StepCost, float]] = deque(maxlen=window)
        self._warned: set[str] = set()

    def begin(self) -> None:
        """A step begins; not called again for its other batches where gradients accumulate."""
        self._calls = []
        self._start = self._clock.mark() if self._last_end is None else self._last_end

    @property
    def running(self) -> bool:
        """Whether a step has begun and not ended."""
        return self._start is not None

    def add(self, calls: Iterable[Call]) -> None:
        """Calls of the step that runs."""
        self._calls += calls

    def end(self) -> None:
        """The step has ended: its calls are traced where they are new."""
        if self._start is None:
            return
        end = self._clock.mark()
        start, calls, self._start, self._calls = self._start, self._calls, None, []
        if not calls:
            self._warn("no call of the model was seen in a training step, so its cost is not known")
        new = any(call.key not in self._costs for call in calls)
        costs = [self._cost_of(call) for call in calls]
        known = [cost for cost in costs if cost is not None]
        if known and len(known) == len(costs) and not new:
            self._waiting.append(_Step(summed(known), start, end))
        self._last_end = None if new else end

    def interrupt(self) -> None:
        """Something else than training runs, which no step's time is to include."""
        self._last_end = None

    def metrics(self) -> dict[str, float]:
        """What is known of the latest steps, by the name that it is logged under; empty while
        nothing is.

        Costs are of the latest step that is timed. Seconds are the median of the window's steps,
        and FLOP/s the median of each step's own, since steps may differ in cost."""
        self._read_clock()
        if not self._timed:
            return {}
        cost = self._timed[-1][0]
        rate = statistics.median(c.model_flops / seconds for c, seconds in self._timed)
        found: dict[str, float] = {
            "step_macs": cost.macs,
            "step_forward_macs": cost.forward_macs,
            "step_backward_macs": cost.backward_macs,
            "step_activations": cost.activations,
            "step_bytes": cost.bytes,
            "params": self._params,
            "step_seconds": statistics.median(seconds for _, seconds in self._timed),
            "step_tflops_per_s": rate / 1e12,
        }
        if self._ceiling is not None:
            found["ceiling_tflops_per_s"] = self._ceiling.flops_per_s / 1e12
            found["mfu"] = rate / self._ceiling.flops_per_s
        if any(c.recomputed_macs for c, _ in self._timed):
            found |= self._recomputed(cost)
        return {f"costlab/{name}": value for name, value in found.items()}

    def _recomputed(self, cost: StepCost) -> dict[str, float]:
        found: dict[str, float] = {"step_recomputed_macs": cost.recomputed_macs}
        if self._ceiling is not None:
            rate = statistics.median(c.hardware_flops / seconds for c, seconds in self._timed)
            found["hfu"] = rate / self._ceiling.flops_per_s
        return found

    def _read_clock(self) -> None:
        while self._waiting:
            step = self._waiting[0]
            seconds = self._clock.seconds(step.start, step.end)
            if seconds is None:
                return
            self._waiting.popleft()
            if seconds > 0:
                self._timed.append((step.cost, seconds))

    def _cost_of(self, call: Call) -> StepCost | None:
        if call.key in self._costs:
            return self._costs[call.key]
        if len(self._costs) >= self._max_shapes:
            self._warn(
                f"steps have more than {self._max_shapes} different shapes of inputs; the others "
                "are left out of MFU (max_shapes)"
            )
            return None
        self._costs[call.key] = cost = self._trace(call)
        return cost

    def _trace(self, call: Call) -> StepCost | None:
        try:
            cost = cost_of_call(call)
        except Exception as e:  # training goes on, whatever the trace runs into
            why = " ".join(str(e).split()) or type(e).__name__
            self._warn(f"the cost of a step is not known, because its trace failed: {why}")
            return None
        if cost.unknown:
            self._warn(
                f"{cost.unknown} operations of a step have no formula; its MACs and MFU are lower "
                "bounds"
            )
        return cost

    def _warn(self, message: str) -> None:
        """One line, once."""
        if message not in self._warned:
            self._warned.add(message)
            LOG.warning("costlab: %s", message)

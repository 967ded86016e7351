"""The stages of measuring one model on one device: which times are taken, in which order, and the
conditions beside them."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..trace import Measured, ModuleTime, OpTime, Trace
from ..trace.facts import Conditions
from . import tf32
from .blocks import Blocks, Call, captured, time_blocks, warm_up
from .ceilings import PRODUCTS, ceilings
from .device import Device
from .modules import leaf_calls, time_alone
from .progress import Reporter
from .refusals import in_one_line
from .stats import OpPlace, align, timing
from .watch import Watch, bytes_of, tensors_of

_LONG = 1.0  # seconds; a model that takes longer is measured in fewer blocks
_FEWEST_BLOCKS = 5
_COUNTED_SECONDS = 2.0  # that the energy of calls is counted over
_SETTLED = 0.15  # of these, that calls run before


@dataclass(frozen=True)
class Stages:
    """One model on one device; the stages of measuring it."""

    device: Device
    call: Call
    report: Reporter

    def measured(
        self, trace: Trace, dtype: str, layout: str, *, blocks: int, isolate: bool
    ) -> Measured:
        """All stages in order."""
        self.report("warm-up calls")
        warm_up(self.device, self.call)
        self.report("the device's ceilings")
        tops = ceilings(self.device, dtype)
        self.report("the whole model")
        blocks = self._as_many(blocks)
        eager = time_blocks(self.device, self.call, blocks)
        replay, refusal = captured(self.device, self.call)
        whole = time_blocks(self.device, replay, blocks) if replay else eager
        joules = self._joules(replay or self.call, min(whole.seconds))
        self.report("its operations in place")
        operations, in_place = self.device.in_place(self.call.model, self.call, replay)
        del replay  # its memory is not the model's
        times, peak = self._operation_times(trace, operations, in_place.operations)
        modules, refusal_alone = self._alone(operations) if isolate else ((), "")
        conditions = self._conditions(dtype, layout, whole, refusal)
        if joules is not None:
            conditions["joules"] = joules
        if refusal_alone:
            conditions["modules alone"] = refusal_alone
        return Measured(
            total=timing(whole.seconds),
            eager=timing(eager.seconds),
            ops=times,
            modules=modules,
            other=in_place.other,
            peak=peak,
            ceilings=tops,
            conditions=conditions,
            account=in_place.account,
        )

    def with_compiled(self, measured: Measured, blocks: int) -> Measured:
        """With the time of `torch.compile(model)`; a model that does not compile is a result."""
        try:
            whole_torch: Any = torch  # the types of torch.compile are partial
            call = replace(self.call, model=whole_torch.compile(self.call.model))
            warm_up(self.device, call)
            samples = time_blocks(self.device, call, self._as_many(blocks)).seconds
            return replace(measured, compiled=timing(samples))
        except Exception as e:  # the compiler raises errors of many kinds
            failed: Conditions = {**measured.conditions, "compile": f"failed: {in_one_line(e)}"}
            return replace(measured, conditions=failed)

    def _joules(self, run: Callable[[], Any], seconds: float) -> float | None:
        """Joules of one call, which takes `seconds`: an average over many calls, with idle power.
        None where the device has no counter, and where its counter stands still.

        The counter moves in steps of up to 0.1 s. Calls run before its first reading too, so that
        both readings come equally late and under the same load."""
        if self.device.joules() is None:
            return None
        calls = max(1, math.ceil(_COUNTED_SECONDS / max(seconds, 1e-9)))
        self.device.seconds(run, max(1, math.ceil(_SETTLED * calls)))
        before = self.device.joules()
        self.device.seconds(run, calls)
        after = self.device.joules()
        return (
            None if before is None or after is None or after <= before else (after - before) / calls
        )

    def _as_many(self, blocks: int) -> int:
        """So many blocks, or fewer of a slow model."""
        once = max(self.device.seconds(self.call, 1), 1e-9)
        return min(blocks, max(_FEWEST_BLOCKS, round(20 * _LONG / once)))

    def _conditions(self, dtype: str, layout: str, whole: Blocks, refusal: str) -> Conditions:
        """What a reader must know of how the whole model was timed."""
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return {
            **self.device.describe(),
            "dtype": dtype,
            "layout": layout,
            "torch": torch.__version__,
            "cudnn.benchmark": torch.backends.cudnn.benchmark,
            "tf32": tf32.in_products(),
            "product": PRODUCTS[dtype],
            "date": date,
            "cache": self.device.cache_bytes(),
            "method": self.device.method
            if self.device.kind == "cpu" or not refusal
            else f"calls from Python (no CUDA graph: {refusal})",
            "blocks thrown away": whole.dropped if whole.steady else None,
            "clocks before": whole.first,
            "clocks after": whole.last,
            "notes": list(self.device.notes),
        }

    def _operation_times(
        self, trace: Trace, operations: list[OpPlace], seconds: tuple[float, ...]
    ) -> tuple[tuple[OpTime, ...], int]:
        """Each operation's time, traffic and memory, and the most bytes of all."""
        places = align(operations, [(o.name, o.module, o.call) for o in trace.ops])
        live, peak = self.device.memory(self.call.model, self.call)
        with Watch(self.call.model, sizes=True).watching() as watch:
            self.call()
        times = tuple(
            OpTime(name, places[i], seconds[i], watch.bytes[i], *live.get(i, (None, None)))
            for i, (name, _, _) in enumerate(operations)
        )
        return times, peak

    def _alone(self, operations: list[OpPlace]) -> tuple[tuple[ModuleTime, ...], str]:
        """Times of the modules alone, or why there are none."""
        calls = leaf_calls(self.call.model, self.call)
        needed = bytes_of(t for c in calls for t in tensors_of((c.args, c.kwargs)))
        if needed >= self.device.free_bytes() / 2:
            return (), "left out: their inputs do not fit in memory together"
        counts = Counter((module, call) for _, module, call in operations)
        stage = "its modules alone"
        return tuple(
            time_alone(self.device, calls, counts, lambda i, n: self.report(stage, i, n))
        ), ""

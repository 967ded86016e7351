"""The least time that operations can take, by the published ceilings of a device.

Roofline (Williams et al. 2009, doi 10.1145/1498765.1498785): an operation takes at least its
arithmetic at the peak of the dtype, and at least its memory traffic at the bandwidth. Both are
counted so that kernels of today do not go below: see `traffic` and `_least_flops`. What is left out
(launches, tiles that do not fit, peaks that no kernel reaches) only adds to the time, so that most
networks take several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from ..cost import Cost, cost_of
from ..reference.datasheets import Datasheet
from ..trace import Op, Trace
from .dtypes import dtype_of
from .estimate import Estimate
from .notes import no_room
from .prediction import LAYOUTS, Prediction, ProfileError, ProfileFacts
from .traffic import Traffic, traffic

# dtypes in which libraries convolve by FFT or Winograd, with fewer multiplications
_FAST_CONVOLUTIONS = ("fp32", "tf32")


@dataclass(frozen=True)
class DatasheetProfile:
    """A device of which the datasheet is known; its estimates are bounds."""

    datasheet: Datasheet

    def predict(
        self, trace: Trace, *, dtype: str | None = None, layout: str | None = None
    ) -> Prediction:
        """The least time of each operation, as `Profile.predict` says. Raises ProfileError for a
        dtype without a published peak, an unknown layout, and a training step."""
        if trace.trained:
            raise ProfileError(
                "a profile is of inference, and this trace has a backward pass; leave out `train`"
            )
        chosen = self._dtype(dtype or dtype_of(trace))
        if layout is not None and layout not in LAYOUTS:
            raise ProfileError(f"unknown layout {layout!r}; choose {' or '.join(LAYOUTS)}")
        sheet = self.datasheet
        moved = traffic(trace, chosen, sheet.cache)
        ops = tuple(
            Estimate(max(_arithmetic(trace, op, chosen, sheet.peaks), bytes_ / sheet.bandwidth))
            for op, bytes_ in zip(trace.ops, moved.ops, strict=True)
        )
        document = sheet.documents[0]
        facts = ProfileFacts(
            sheet.device,
            "datasheet",
            chosen,
            layout or LAYOUTS[0],
            document.read.isoformat(),
            document.address,
        )
        return Prediction(facts, ops, warnings=self._warnings(moved))

    def _dtype(self, name: str) -> str:
        """A dtype that has a peak. Raises ProfileError for another."""
        peaks = self.datasheet.peaks
        if name not in peaks:
            raise ProfileError(
                f"the datasheet of {self.datasheet.device} has no peak of {name}; choose "
                f"`profile_dtype` {_either(peaks)}"
            )
        return name

    def _warnings(self, moved: Traffic) -> tuple[str, ...]:
        said = [self.datasheet.note] if self.datasheet.note else []
        return (*said, *no_room(moved.given, self.datasheet.device, self.datasheet.memory))


def _arithmetic(trace: Trace, op: Op, dtype: str, peaks: Mapping[str, float]) -> float:
    """Seconds of an operation's arithmetic at the peaks of a device."""
    cost = cost_of(trace, op)
    flops = _least_flops(trace, op, cost) if dtype in _FAST_CONVOLUTIONS else cost.flops
    integers = 2 * cost.integer_macs / peaks.get("int8", max(peaks.values()))
    return flops / peaks[dtype] + integers


def _least_flops(trace: Trace, op: Op, cost: Cost) -> float:
    """FLOPs of a convolution by the algorithm with the fewest multiplications.

    By FFT or Winograd, n outputs of a filter with r taps take n + r - 1 multiplications (Winograd
    1980, Theorem 3; Lavin and Gray 2015, arXiv 1509.09308), which is more than one for each output
    and input channel, in place of r. With a stride of s, s phases of the input have a filter each.
    """
    if op.name != "aten.convolution" or op.attrs.get("transposed"):
        return cost.flops
    kernel = trace.shapes(op)[1][2:]
    stride = op.attrs.get("stride", (1,) * len(kernel))
    return cost.flops * prod(map(min, kernel, stride)) / prod(kernel)


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last

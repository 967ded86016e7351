"""Whether the parts of a measured run add up to the whole, and what the difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...trace import Measured

CLOSED = 0.05  # the parts and the whole may differ by this share of the whole
NOTABLE = 0.01  # a cause below this share of the whole is not named


CauseKind = Literal["overlap", "side_by_side", "gaps", "launch", "other", "slower"]


@dataclass(frozen=True)
class Cause:
    """Why the parts and the whole differ, as a field of `Closure`, and by how many `seconds`."""

    kind: CauseKind
    seconds: float


@dataclass(frozen=True)
class Closure:
    """A measured run's parts against its whole, in seconds.

    `whole`: one run of the model. `parts`: its operations in place and the kernels of no
    operation, added up. The rest is None in traces that do not record the kernels' intervals:
    `gaps` in which no kernel ran between the first and the last; `overlap` of operations, which
    counts twice in `parts`; `side_by_side`, kernels of one operation that ran at the same time,
    which `parts` counts once; `launch`, by which the timed run took longer than from its first
    kernel to its last (the launch of the run itself); `slower`, by which it took less, because the
    profiled run was slower."""

    whole: float
    parts: float
    other: float
    replayed: bool
    gaps: float | None = None
    overlap: float | None = None
    side_by_side: float | None = None
    launch: float | None = None
    slower: float | None = None

    @property
    def ratio(self) -> float:
        """The parts by the whole."""
        return self.parts / self.whole

    @property
    def tolerance(self) -> float:
        """The share of the whole by which the parts may differ from it."""
        return CLOSED

    @property
    def closed(self) -> bool:
        """Whether parts and whole agree to 5%."""
        return abs(self.ratio - 1) <= self.tolerance

    @property
    def known(self) -> bool:
        """Whether the trace records the kernels' intervals."""
        return self.gaps is not None

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why the parts are not the whole, as far as it is recorded and notable."""
        return self._notable("overlap", "gaps", "launch", "other", "slower")

    @property
    def in_parallel(self) -> tuple[Cause, ...]:
        """What ran at the same time, where that is notable."""
        return self._notable("overlap", "side_by_side")

    def _notable(self, *kinds: CauseKind) -> tuple[Cause, ...]:
        found: list[tuple[CauseKind, float | None]] = [
            (kind, getattr(self, kind)) for kind in kinds
        ]
        least = NOTABLE * self.whole
        return tuple(Cause(kind, t) for kind, t in found if t and abs(t) >= least)


def closure(m: Measured) -> Closure:
    """Parts against whole of a measured run."""
    parts = sum(o.seconds for o in m.ops) + m.other
    replayed = "graph replay" in m.conditions["method"]
    if not m.account:
        return Closure(m.total.median, parts, m.other, replayed)
    a = m.account
    return Closure(
        whole=m.total.median,
        parts=parts,
        other=m.other,
        replayed=a.replayed,
        gaps=a.idle,
        overlap=max(0.0, parts - a.busy),
        side_by_side=max(0.0, a.kernel_seconds - parts),
        launch=max(0.0, m.total.median - a.span),
        slower=max(0.0, a.span - m.total.median),
    )

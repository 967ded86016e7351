"""Whether the parts of a measured run add up to the whole, and what the difference is."""

from __future__ import annotations

from dataclasses import dataclass

from ..trace import Measured

CLOSED = 0.05  # the parts and the whole may differ by this share of the whole
NOTABLE = 0.01  # a cause below this share of the whole is not named


@dataclass(frozen=True)
class Closure:
    """A measured run's parts against its whole, in seconds.

    `whole`: one run of the model. `parts`: its operations in place and the kernels of no
    operation, added up. The rest is None in traces that do not record the kernels' intervals:
    `gaps` in which no kernel ran between the first and the last; `overlap` of operations, which
    counts twice in `parts`; `side_by_side`, kernels of one operation that ran at the same time,
    which `parts` counts once; `profiled`, by how much the profiled run took longer than `whole`."""

    whole: float
    parts: float
    other: float
    replayed: bool
    gaps: float | None = None
    overlap: float | None = None
    side_by_side: float | None = None
    profiled: float | None = None

    @property
    def ratio(self) -> float:
        """The parts by the whole."""
        return self.parts / self.whole

    @property
    def closed(self) -> bool:
        """Whether parts and whole agree to 5%."""
        return abs(self.ratio - 1) <= CLOSED

    def notable(self, seconds: float | None) -> bool:
        """Whether a cause is worth a word."""
        return seconds is not None and abs(seconds) >= NOTABLE * self.whole


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
        profiled=a.span - m.total.median,
    )


def verdict(c: Closure) -> str:
    """The closure row's last cell: empty where parts and whole agree and nothing ran side by
    side."""
    said = [] if c.closed else [f"differs by more than {CLOSED:.0%}"]
    named = (
        (c.overlap, "operations side by side"),
        (c.side_by_side, "kernels side by side"),
        (None if c.closed else c.gaps, "gaps"),
        (None if c.closed else c.other, "kernels of no operation"),
    )
    said += [f"{text}: {1e3 * t:,.3f} ms" for t, text in named if t and c.notable(t)]
    return "; ".join(said)


def notes(c: Closure) -> list[str]:
    """What a reader must know of the difference between the parts and the whole."""
    said = []
    if not c.closed:
        said.append(f"the parts add up to {c.ratio:.0%} of the whole: {_reason(c)}")
    if c.side_by_side is not None and c.notable(c.side_by_side):
        said.append(
            f"{1e3 * c.side_by_side:,.3f} ms of kernels ran at the same time as others of their "
            "operation (the groups of a convolution, for example); the time of an operation is "
            "that in which at least one of its kernels ran"
        )
    return said


def _reason(c: Closure) -> str:
    """Why parts and whole differ by more than 5%."""
    if c.gaps is None:
        return _reason_without_intervals(c)
    waiting = "no kernel runs (gaps)" if c.replayed else "the host prepares the next operation"
    causes = (
        (c.gaps, f"for {1e3 * c.gaps:,.3f} ms {waiting}"),
        (c.overlap, f"operations overlap for {1e3 * (c.overlap or 0):,.3f} ms"),
        (c.other, f"kernels of no operation take {1e3 * c.other:,.3f} ms"),
        (
            c.profiled,
            f"the profiled run took {1e3 * abs(c.profiled or 0):,.3f} ms "
            f"{'longer' if (c.profiled or 0) > 0 else 'less'} than the timed one",
        ),
    )
    return "; ".join(text for t, text in causes if c.notable(t))


def _reason_without_intervals(c: Closure) -> str:
    """The same for a trace that records no intervals: only the direction is known."""
    if c.ratio > 1:
        return (
            "kernels that ran at the same time, as the groups of a convolution do, are added up; "
            "this trace does not record their intervals"
        )
    if c.replayed:
        return (
            "the rest is gaps between the kernels, and kernels that no operation launched; this "
            "trace does not record which"
        )
    return "the rest is the host's own work between operations"

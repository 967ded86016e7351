"""Whether the parts of a measured run add up to the whole, and what the difference is."""

from __future__ import annotations

from dataclasses import dataclass

from ...trace import Measured

CLOSED = 0.05  # the parts and the whole may differ by this share of the whole
NOTABLE = 0.01  # a cause below this share of the whole is not named


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
        launch=max(0.0, m.total.median - a.span),
        slower=max(0.0, a.span - m.total.median),
    )


def verdict(c: Closure) -> str:
    """The closure row's last cell: empty where parts and whole agree and nothing ran side by
    side; otherwise what the difference is."""
    if c.closed:
        beside = ((c.overlap, "operations side by side"), (c.side_by_side, "kernels side by side"))
        return "; ".join(f"{text}: {1e3 * t:,.3f} ms" for t, text in beside if t and c.notable(t))
    return f"differs by more than {CLOSED:.0%}: {_reason(c)}"


def _reason(c: Closure) -> str:
    """What the difference between parts and whole is."""
    if c.gaps is None:
        return _without_intervals(c)
    causes = [f"{text} {1e3 * t:,.3f} ms" for t, text in _causes(c) if t and c.notable(t)]
    return ", ".join(causes)


def _causes(c: Closure) -> tuple[tuple[float | None, str], ...]:
    """Why the parts are not the whole, each with its seconds (None: not recorded)."""
    return (
        (c.overlap, "operations side by side"),
        (c.gaps, "gaps between kernels" if c.replayed else "between operations, on the host"),
        (c.launch, "launch of the run"),
        (c.other, "kernels of no operation"),
        (c.slower, "slower when profiled"),
    )


def notes(c: Closure) -> list[str]:
    """What a reader must know of the difference between the parts and the whole."""
    said = []
    if not c.closed:
        known = "" if c.gaps is not None else "; this trace does not record the kernels' intervals"
        said.append(f"the parts add up to {c.ratio:.0%} of the whole: {_reason(c)}{known}")
    if c.side_by_side is not None and c.notable(c.side_by_side):
        said.append(
            f"{1e3 * c.side_by_side:,.3f} ms of kernels ran at the same time as others of their "
            "operation (the groups of a convolution, for example); the time of an operation is "
            "that in which at least one of its kernels ran"
        )
    return said


def _without_intervals(c: Closure) -> str:
    """What can be said of a trace that does not record the kernels' intervals."""
    if c.ratio > 1:
        return "kernels side by side, or slower when profiled"
    if c.replayed:
        return "gaps between kernels, or kernels of no operation"
    return "the host's own work between operations"

"""What changed from base to head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...tables import display_names
from .bars import ROW, draw_bars, make_room, names_beside, number, put_before, without_scale
from .figures import entitle, figure
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.change import Change

_STEPS = 36  # of a waterfall


@dataclass(frozen=True)
class _Bar:
    """A bar from `start` to `end`, in multiply-adds; `step`: whether it is a difference."""

    name: str
    start: int
    end: int
    step: bool = False

    @property
    def kind(self) -> str:
        """What the bar shows: a "total", or a difference that "saves" or "adds", or "equal"."""
        if not self.step:
            return "total"
        if self.end == self.start:
            return "equal"
        return "saves" if self.end < self.start else "adds"


def waterfall(change: Change, look: Look = PLAIN) -> Figure:
    """MACs from the base to the head, block by block, each with its share of the base's; of very
    many blocks those that change most, the others together."""
    theme, bars = look.theme, list(_bars(change))
    fig, ax = figure(look, len(bars) * 1.1 * ROW + 0.6)
    lefts = [min(b.start, b.end) for b in bars]
    for kind, color, hatched, words in (
        ("total", theme.muted, False, None),
        ("saves", theme.better, False, "saves"),
        ("adds", theme.worse, True, "adds"),
    ):
        lengths = [abs(b.end - b.start) if b.kind == kind else 0 for b in bars]
        draw_bars(ax, lengths, color, theme, left=lefts, hatched=hatched, label=words)
    for place, bar in enumerate(bars):
        number(ax, _words(bar, change), max(bar.start, bar.end), place)
        if place:
            _connect(ax, place, bar, theme)
    names_beside(ax, [b.name for b in bars], look)
    without_scale(ax)
    make_room(fig, [ax])
    longest = max(max(b.start, b.end) for b in bars)
    for bar, label in zip(bars, list(ax.texts), strict=True):
        if bar.step:
            put_before(ax, label, min(bar.start, bar.end), longest)
    make_room(fig, [ax])
    fig.legend(loc="outside lower left", ncols=2)
    base, head = display_names([change.base, change.head])
    entitle(fig, look, f"MACs (multiply-adds) from {base} to {head}")
    return fig


def _bars(change: Change) -> Iterator[_Bar]:
    """The base, what changes on the way, the head."""
    base, head = display_names([change.base, change.head])
    at = change.macs.base
    yield _Bar(f"{base} (base)", 0, at)
    for name, delta in _steps(change):
        yield _Bar(name, at, at + delta, step=True)
        at += delta
    yield _Bar(f"{head} (head)", 0, change.macs.head)


def _steps(change: Change) -> Iterator[tuple[str, int]]:
    moved = [
        (s.name, s.macs.head - s.macs.base) for s in change.steps if s.macs.base != s.macs.head
    ]
    most = set(sorted(range(len(moved)), key=lambda i: -abs(moved[i][1]))[:_STEPS])
    yield from (step for i, step in enumerate(moved) if i in most)
    rest = [delta for i, (_, delta) in enumerate(moved) if i not in most]
    if rest:
        yield f"{len(rest)} other blocks", sum(rest)


def _words(bar: _Bar, change: Change) -> str:
    """The number of a bar with its share of the base: -128M (-8.1%)."""
    delta, base = bar.end - bar.start, change.macs.base
    if bar.step:
        return f"{'-' if delta < 0 else '+'}{three_digits(abs(delta))}{_share(delta, base)}"
    return three_digits(bar.end) + (_share(bar.end - base, base) if bar.end != base else "")


def _share(delta: float, base: float) -> str:
    """A change in percent of the base, in brackets; nothing where the base is 0."""
    return f" ({100 * delta / base:+.1f}%)" if base else ""


def _connect(ax: Axes, place: int, bar: _Bar, theme: Theme) -> None:
    """A line from the end of the bar above to where this one begins."""
    at = bar.start if bar.step else bar.end
    ax.plot([at, at], [place - 0.64, place - 0.36], color=theme.ink, linewidth=0.6, gid="connector")

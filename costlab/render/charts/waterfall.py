"""What changed from base to head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...predict import (
    Estimate,
    Saving,
    estimates_sum,
    milliseconds,
    prediction_of,
    spell_estimate,
    spell_time,
    times_on,
)
from .bars import (
    ROW,
    draw_bars,
    interval,
    make_room,
    names_beside,
    number,
    put_before,
    without_scale,
)
from .figures import entitle, figure
from .lettering import TEXT, wrapped
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.change import Change, Step

_STEPS = 36  # of a waterfall
_NOTHING = Estimate(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Bar:
    """A bar from `start` to `end`.

    Attributes:
        words: beside it.
        step: whether it is a difference.
        interval: where its end is with 90% probability; None of what is counted.
    """

    name: str
    start: float
    end: float
    words: str
    step: bool = False
    interval: tuple[float, float] | None = None

    @property
    def kind(self) -> str:
        """What the bar shows: a "total", or a difference that "saves" or "adds", or "equal"; of a
        difference whose interval has zero in it "not decided"."""
        if not self.step:
            return "total"
        if self.interval and self.interval[0] <= self.start <= self.interval[1]:
            return "not decided" if self.end != self.start else "equal"
        if self.end == self.start:
            return "equal"
        return "saves" if self.end < self.start else "adds"

    @property
    def ends(self) -> tuple[float, float]:
        """What it takes of the scale, with its interval."""
        taken = (self.start, self.end, *(self.interval or ()))
        return max(0.0, min(taken)), max(taken)


@dataclass(frozen=True)
class _Row:
    """A block, or several together: its difference in multiply-adds, and its predicted time where a
    profile was given."""

    name: str
    macs: int
    time: Saving | None


def waterfall(change: Change, look: Look = PLAIN) -> Figure:
    """MACs from the base to the head, block by block, each with its share of the base's; of very
    many blocks those that change most, the others together. Beside them their predicted times,
    where a profile was given."""
    base, head = change.names
    names, rows = (f"{base} (base)", f"{head} (head)"), _rows(change)
    panels = [tuple(_macs(change, names, rows))]
    if change.time:
        panels.append(tuple(_times(change.time, names, rows)))
    height = len(panels[0]) * 1.1 * ROW + (0.2 if change.time else 0.0)
    above = len(panels) if look.narrow else 1  # each other
    fig, axes = figure(
        look, above * height + 0.6, above, len(panels) // above, squeeze=False, sharey=True
    )
    for ax, bars in zip(axes.flat, panels, strict=True):
        _draw(ax, bars, look.theme)
        without_scale(ax)
    for ax in axes[:, 0]:
        names_beside(ax, [bar.name for bar in panels[0]], look)
    if change.time:
        _head(axes.flat, change, look)
    make_room(fig, axes.flat)
    for ax, bars in zip(axes.flat, panels, strict=True):
        _put_before(ax, bars)
    make_room(fig, axes.flat)
    _legend(fig, axes.flat)
    what = "MACs (multiply-adds) and predicted time" if change.time else "MACs (multiply-adds)"
    entitle(fig, look, f"{what} from {base} to {head}")
    return fig


def _draw(ax: Axes, bars: Sequence[_Bar], theme: Theme) -> None:
    """Totals and differences, a row each, with their numbers and intervals."""
    lefts = [min(b.start, b.end) for b in bars]
    for kind, color, hatched, words in (
        ("total", theme.muted, False, None),
        ("saves", theme.better, False, "saves"),
        ("adds", theme.worse, True, "adds"),
        ("not decided", theme.faint, False, "not decided: the interval has zero in it"),
    ):
        lengths = [abs(b.end - b.start) if b.kind == kind else 0 for b in bars]
        shown = any(lengths) or kind in ("saves", "adds")
        draw_bars(
            ax, lengths, color, theme, left=lefts, hatched=hatched, label=words if shown else None
        )
    for place, bar in enumerate(bars):
        number(ax, bar.words, bar.ends[1], place)
        if bar.interval:
            interval(ax, bar.interval, place, theme)
        if place:
            _connect(ax, place, bar, theme)


def _head(axes: Iterable[Axes], change: Change, look: Look) -> None:
    """What each of two panels shows; of predicted times also of which device."""
    prediction = prediction_of(change.traces.head)
    assert prediction
    times = times_on(prediction, intervals=True)
    room = look.room(0.6 if look.narrow else 0.32)
    for ax, words in zip(axes, ("MACs", times), strict=True):
        ax.set_title("\n".join(wrapped(words, room, TEXT, bold=True)))


def _put_before(ax: Axes, bars: Sequence[_Bar]) -> None:
    """The numbers of differences before their bars, where there is room."""
    longest = max(bar.ends[1] for bar in bars)
    for bar, label in zip(bars, list(ax.texts), strict=True):
        if bar.step:
            put_before(ax, label, bar.ends[0], longest)


def _legend(fig: Figure, axes: Iterable[Axes]) -> None:
    """What the colours mean, once."""
    found: dict[str, object] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    fig.legend(list(found.values()), list(found), loc="outside lower left", ncols=2)


def _macs(change: Change, names: Sequence[str], rows: Sequence[_Row]) -> Iterator[_Bar]:
    """The base, what changes on the way, the head."""
    before, after = change.macs
    least = _least(change)
    at = before
    yield _Bar(names[0], 0, at, three_digits(at) + least[0])
    for row in rows:
        sign = "-" if row.macs < 0 else "+"
        share = _share(row.macs, before)
        words = f"{sign}{three_digits(abs(row.macs))}{share}" if row.macs else "0"
        yield _Bar(row.name, at, at + row.macs, words, step=True)
        at += row.macs
    share = _share(after - before, before) if after != before else ""
    yield _Bar(names[1], 0, after, three_digits(after) + share + least[1])


def _times(whole: Saving, names: Sequence[str], rows: Sequence[_Row]) -> Iterator[_Bar]:
    """The same of predicted times, in milliseconds."""
    at = 1e3 * (whole.before.seconds or 0.0)
    yield _total(names[0], whole.before)
    for row in rows:
        saved = row.time.saved if row.time else None
        if saved is None or saved.seconds is None or saved.high is None:
            yield _Bar(row.name, at, at, "", step=True)
            continue
        end = at - 1e3 * saved.seconds
        ends = at - 1e3 * saved.high, at - 1e3 * saved.low
        yield _Bar(row.name, at, end, _signed(-saved.seconds), step=True, interval=ends)
        at = end
    yield _total(names[1], whole.after)


def _total(name: str, time: Estimate) -> _Bar:
    low, high = 1e3 * time.low, 1e3 * (time.high or 0.0)
    return _Bar(name, 0, 1e3 * (time.seconds or 0.0), spell_estimate(time), interval=(low, high))


def _signed(seconds: float) -> str:
    return f"{'+' if seconds > 0 else ''}{milliseconds(seconds)}"


def _least(change: Change) -> tuple[str, str]:
    """After the MACs of base and head the least time by a datasheet, which says nothing of their
    difference; nothing without one."""
    of_each = [prediction_of(trace) for trace in change.traces]
    words = [f", {spell_time(p, p.total)}" if p and p.total.is_bound else "" for p in of_each]
    return words[0], words[1]


def _rows(change: Change) -> list[_Row]:
    """The blocks that change, in order; of very many those that change most, the others together,
    as are those whose time alone is another one."""
    moved = change.moving
    most = set(sorted(range(len(moved)), key=lambda i: _size(moved[i]), reverse=True)[:_STEPS])
    rows = [_Row(s.name, _delta(s), s.time) for i, s in enumerate(moved) if i in most]
    if rest := [s for i, s in enumerate(moved) if i not in most]:
        rows.append(_together(rest))
    return rows


def _size(step: Step) -> tuple[int, float]:
    saved = step.time.saved if step.time else None
    return abs(_delta(step)), abs(saved.seconds or 0.0) if saved else 0.0


def _delta(step: Step) -> int:
    return step.macs.head - step.macs.base


def _together(steps: Sequence[Step]) -> _Row:
    """Several blocks as one row; the errors of their times are taken to add up."""
    times = [s.time for s in steps if s.time]
    time = Saving(
        *(
            estimates_sum(side, 1.0)
            for side in ([t.before for t in times], [t.after for t in times])
        )
    )
    return _Row(f"{len(steps)} other blocks", sum(map(_delta, steps)), time if times else None)


def _share(delta: float, base: float) -> str:
    """A change in percent of the base, in brackets; nothing where the base is 0."""
    return f" ({100 * delta / base:+.1f}%)" if base else ""


def _connect(ax: Axes, place: int, bar: _Bar, theme: Theme) -> None:
    """A line from the end of the bar above to where this one begins."""
    at = bar.start if bar.step else bar.end
    ax.plot([at, at], [place - 0.64, place - 0.36], color=theme.ink, linewidth=0.6, gid="connector")

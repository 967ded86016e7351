"""The text of each box, measured."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.diagram import Box, Diagram
from ..charts import milliseconds
from .measure import width, wrapped
from .metrics import Metrics

BAR_LENGTH = 64.0  # points, for all multiply-adds
_WIDEST = 190.0  # points of a name; a longer one is wrapped


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: str
    size: float
    bold: bool = False

    @property
    def width(self) -> float:
        return width(self.text, self.size, self.bold)


@dataclass(frozen=True)
class Label:
    """What a box shows. `bar`: the share of its bar, None without one; `width` and `height` of the
    box."""

    lines: tuple[Line, ...]
    bar: float | None
    width: float
    height: float


def label(box: Box, d: Diagram, m: Metrics) -> Label:
    """The label of a box in the style of its diagram."""
    return _cost(box, d, m) if d.style == "cost" else _paper(box, d, m)


def shows_size(box: Box, d: Diagram) -> bool:
    """Whether the label of a box says what its output's size is."""
    return d.style == "cost" or box.kind in ("input", "output", "cat", "block")


def spelled(box: Box, d: Diagram) -> str:
    """Params and multiply-adds of a box, those that it has."""
    params, macs = d.convention.spell_params(box.params), d.convention.spell_ops(box.macs)
    said = [f"{params} params"] if box.params else []
    return ", ".join([*said, f"{macs} MACs"] if box.macs else said)


def _name(box: Box, m: Metrics, bold: bool) -> list[Line]:
    return [Line(text, m.font, bold) for text in wrapped(box.name, _WIDEST, m.font, bold)]


def _boxed(lines: list[Line], bar: float | None, m: Metrics) -> Label:
    room = max((line.width for line in lines), default=0.0)
    height = sum(1.25 * line.size for line in lines)
    if bar is not None:
        room = max(room, BAR_LENGTH * bar + width(f"{100 * bar:.1f}%", m.detail) + 4)
        height += m.detail + 2
    return Label(tuple(lines), bar, room + 2 * m.pad, height + m.pad)


def _paper(box: Box, d: Diagram, m: Metrics) -> Label:
    lines = _name(box, m, bold=False)
    if box.size and shows_size(box, d):
        text = f"{box.name}, {box.size}"
        lines = [Line(part, m.font) for part in wrapped(text, _WIDEST, m.font)]
    found = _boxed(lines, None, m)
    return Label(found.lines, None, max(found.width, found.height), found.height)


def _cost(box: Box, d: Diagram, m: Metrics) -> Label:
    lines = _name(box, m, bold=True)
    said = [box.size] if box.size else []
    if box.params or box.macs:
        said.append(spelled(box, d))
    if box.seconds:
        said.append(f"{milliseconds(box.seconds)} ms")
    if box.predicted:
        said.append(box.predicted)
    if d.upward:  # branches beside each other: narrow
        said = [part for words in said for part in words.split(", ")]
    elif said:
        said = ["; ".join(said)]
    lines += [Line(words, m.detail) for words in said]
    share = d.share(box)
    return _boxed(lines, share if share >= 0.0005 else None, m)

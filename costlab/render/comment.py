"""A change as Markdown that fits a comment of a pull request on GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..analysis.change import (
    Change,
    Step,
    compares,
    difference,
    label,
    quantities,
    relative,
    spelled,
)
from .markup import escape
from .shorten import shorten

MARKER = "<!-- costlab -->"  # by which the comment is found and updated
LIMIT = 65_000  # bytes; GitHub takes 65,536 characters
LARGEST = 10  # changes that are not folded
_OF_BLOCKS = ("macs", "params", "time", "predicted-ms", "peak")  # quantities of a row a block
_NAME, _WORDS, _NOTE = 100, 200, 400  # characters of a name, of what differs, of a note
_NOTES, _LIMITS = 20, 40  # that are listed
_ROOM_FOR_NOTES = 12_000  # bytes kept for what follows the table of the other changes


def comment(change: Change) -> str:
    """Verdict and limits, totals, the largest changes; the other changes and the notes folded.

    It is shorter than 65,536 characters, whatever the model: of very many changes as many are
    listed as fit, and a line says how many more there are."""
    steps = sorted(change.differing, key=_size, reverse=True)
    head = [MARKER, *_verdict(change), "", *_totals(change), ""]
    if steps:
        head += [*_blocks(change, steps[:LARGEST]), ""]
    room = LIMIT - _ROOM_FOR_NOTES - len("\n".join(head).encode())
    return "\n".join([*head, *_others(change, steps[LARGEST:], room), *_notes(change)]) + "\n"


def _size(step: Step) -> tuple[float, ...]:
    """How much a block changed: by multiply-adds, then by the other quantities of its row."""
    return tuple(abs(difference(step.figures[q]) or 0) for q in _OF_BLOCKS if q in step.figures)


def _verdict(change: Change) -> Iterator[str]:
    yield f"### costlab: {_text(change.base, _NAME)} to {_text(change.head, _NAME)}"
    yield ""
    yield f"**{_text(change.verdict, _NOTE)}**"
    if change.judgements:
        yield ""
    met = [*change.failed, *(j for j in change.judgements if not j.holds)]
    for judgement in met[:_LIMITS]:
        mark = ":x:" if judgement.holds else ":white_check_mark:"
        yield f"- {mark} {_text(str(judgement), _WORDS)}"
    if len(met) > _LIMITS:
        yield f"- and {len(met) - _LIMITS} more limits"


def _totals(change: Change) -> Iterator[str]:
    yield from _head(["", "base", "head", "change", "%"], left=1)
    for name in quantities(change.figures):
        sides = change.figures[name]
        changed = [spelled(name, difference(sides), signed=True), _percent(relative(sides))]
        yield _line(
            [
                label(name),
                spelled(name, sides.base),
                spelled(name, sides.head),
                *(changed if compares(name) else ["", ""]),
            ]
        )


def _blocks(change: Change, steps: Sequence[Step]) -> Iterator[str]:
    shown = [q for q in _OF_BLOCKS if q in change.figures]
    yield from _head(["block", "", *(label(q) for q in shown), "what differs"], left=2, last=True)
    for step in steps:
        yield _row(step, shown)


def _row(step: Step, shown: Iterable[str]) -> str:
    figures: list[str] = []
    for name in shown:
        sides = step.figures[name]
        share = _percent(relative(sides))
        figures.append(
            " ".join(
                filter(
                    None, [spelled(name, difference(sides), signed=True), share and f"({share})"]
                )
            )
        )
    return _line([shorten(step.name, _NAME), step.what, *figures, shorten(step.cells, _WORDS)])


def _others(change: Change, steps: Sequence[Step], room: int) -> Iterator[str]:
    """The changes that are not among the largest, folded, as many as fit `room` bytes."""
    if not steps:
        return
    rows: list[str] = []
    for row in _blocks(change, steps):
        room -= len(row.encode()) + 1
        if room < 0:
            break
        rows.append(row)
    what = "1 more block differs" if len(steps) == 1 else f"{len(steps)} more blocks differ"
    yield f"<details><summary>{what}</summary>"
    yield from ("", *rows, "")
    left = len(steps) - (len(rows) - 2)
    if left:
        yield f"and {left} more, which `costlab diff --format csv` lists"
        yield ""
    yield "</details>"


def _notes(change: Change) -> Iterator[str]:
    notes = change.notes
    yield from ("<details><summary>Notes</summary>", "")
    yield from (f"- {_text(note, _NOTE)}" for note in notes[:_NOTES])
    if len(notes) > _NOTES:
        yield f"- and {len(notes) - _NOTES} more"
    yield from ("", "</details>")


def _percent(share: float | None) -> str:
    """+3.20%; nothing for none."""
    return f"{100 * share:+.2f}%" if share else ""


def _head(headers: Sequence[str], *, left: int, last: bool = False) -> Iterator[str]:
    """The first two lines of a table: the first `left` columns, and the `last`, are texts."""
    yield _line(headers)
    texts = [i < left or (last and i == len(headers) - 1) for i in range(len(headers))]
    yield "|" + "|".join("---" if text else "---:" for text in texts) + "|"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escape, cells)) + " |"


def _text(text: str, width: int) -> str:
    return escape(shorten(text, width))

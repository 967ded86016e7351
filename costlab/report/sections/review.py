"""What changed from base to head, in short: the summary of a review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...analysis.change import Change, Step
from ...analysis.change.notes import on_device
from ...cost import scaled, total
from ...graph import layer_graph, longest
from ...render.document import Numbers, Points, Text
from ...tables import version_name
from ...trace import Trace
from ..context import Context
from ..pieces import Block, cited, listed

_TOTALS = {
    "params": "params",
    "macs": "MACs (multiply-adds)",
    "activations": "activations (elements)",
    "written": "bytes written",
}


def review(c: Context, pair: tuple[Trace, Trace]) -> list[Block]:
    """Totals of head with their change, and the blocks whose MACs changed most."""
    assert c.change is not None
    return [_sentence(*pair), _numbers(*pair), Points(tuple(_points(c.change)))]


def _share(before: int, after: int) -> str:
    return f"{100 * (after - before) / before:+.1f}%" if before else "new"


def _sentence(base: Trace, head: Trace) -> Text:
    a, b = total(base), total(head)
    return Text(
        f"{version_name(head)} against {version_name(base)}: "
        f"{_share(a.macs, b.macs)} MACs, {_share(a.params, b.params)} params, "
        f"{_share(a.activations, b.activations)} activations."
    )


def _numbers(base: Trace, head: Trace) -> Numbers:
    a, b = total(base), total(head)
    items = [
        (scaled(getattr(b, key)), f"{words}, {_share(getattr(a, key), getattr(b, key))}")
        for key, words in _TOTALS.items()
    ]
    before, after = longest(layer_graph(base)), longest(layer_graph(head))
    return Numbers((*items, (str(after), f"layers deep, base {before}")))


def _points(change: Change) -> Iterator[Text]:
    steps = change.differing
    kinds = Counter(s.what for s in steps)
    counts = listed(f"{n} {what}" for what, n in kinds.items())
    words = f"{counts} of {len(change.steps)} blocks" if steps else "No block differs"
    yield cited(words, "changes")
    for step in sorted(steps, key=_moved)[:3]:
        yield _step(step)
    yield from map(Text, on_device(change.traces))
    yield from (Text(f"Failed: {judgement}.") for judgement in change.failed)


def _moved(step: Step) -> int:
    before, after = step.macs
    return -abs(after - before)


def _step(s: Step) -> Text:
    macs, params = s.macs[1] - s.macs[0], s.params[1] - s.params[0]
    return cited(f"{s.name} ({s.what}): {macs:+,} MACs, {params:+,} params", "waterfall")

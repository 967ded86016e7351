"""One page in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...analysis.compare import compare
from ...analysis.notes import money
from ...analysis.ranking import most_expensive
from ...analysis.roofline import roofline
from ...cost import Total, counted, scaled
from ...graph import layer_graph, longest
from ...render import charts
from ...render.document import Numbers, Points, Text
from ...tables import input_words, predicted_note
from ..context import About, Context
from ..pieces import Block, cited, listed, percent
from .review import review


def summary(c: Context) -> list[Block]:
    """Totals, then where they come from and what could be saved; of a review, what changed."""
    if c.review:
        return review(c, c.review)
    first = c.models[0]
    inputs = listed(input_words(first.trace))
    t = first.total
    return [
        _numbers(first),
        Text(
            f"{first.name} has {t.params:,} params and takes {t.macs:,} multiply-adds for the "
            f"input {inputs}.{_weights_only(first, t)}"
        ),
        Points(tuple(_points(c))),
        Text(
            "Every number is computed from a trace of the model; published figures are labelled "
            "as published."
        ),
    ]


def _saving(m: About) -> int:
    return sum(rewrite.saved for rewrite in m.best_rewrites)


def _weights_only(m: About, t: Total) -> str:
    """What a reader must know where the table counts other params than the first sentence."""
    if m.convention.bias:
        return ""
    return (
        f" Its table, charts and diagrams count the {t.weights:,} weights only, with "
        f"K = {m.convention.kilo:,}, as its paper does."
    )


def _numbers(m: About) -> Numbers:
    t, convention = m.total, m.convention
    params = convention.spell_params(convention.params(t))
    return Numbers(
        (
            (params, "params" if convention.bias else "params (weights only)"),
            (convention.spell_ops(t.macs), "MACs (multiply-adds)"),
            (scaled(t.activations), "activations (elements)"),
            (str(longest(layer_graph(m.trace))), "layers with weights on the longest path"),
            *_could_be_saved(m),
        )
    )


def _could_be_saved(m: About) -> list[tuple[str, str]]:
    share = percent(_saving(m), m.total.macs)
    return [] if share == "0%" else [(share, "of MACs that factorizing could save")]


def _points(c: Context) -> Iterator[Text]:
    first = c.models[0]
    yield from _where(first)
    yield from _halves(first)
    yield from _rewrites(first)
    yield from _reductions(first)
    yield from _audits(c)
    if len(c.traces) > 1:
        yield from (cited(sentence, "compared") for sentence in compare(c.traces).sentences)
    yield from _time(first)
    yield from map(Text, predicted_note(first.trace, first.name))
    yield from map(Text, money(first.trace))
    yield from _lower_bounds(c)


def _where(m: About) -> Iterator[Text]:
    """The rows of the table with the most MACs and params."""
    if not m.profile.steps:
        return
    if m.total.macs:
        share, names = _top(m, "macs", m.total.macs)
        yield cited(f"Compute: {share} of its MACs are in {names}", "stages")
    params = m.convention.params(m.total)
    if params:
        share, names = _top(m, "params", params)
        yield cited(f"Params: {share} are in {names}", "network")


def _top(m: About, field: str, whole: int) -> tuple[str, str]:
    """The share of the three largest blocks, and their names with the share of each."""
    rows = most_expensive(m.blocks, field)
    values = [getattr(row, field) for row in rows]
    names = (f"{row.own_name} ({percent(v, whole)})" for row, v in zip(rows, values, strict=True))
    return percent(sum(values), whole), listed(names)


def _halves(m: About) -> Iterator[Text]:
    """Up to which stage half of the cost is reached."""
    course = m.profile.course
    if len(course) <= 4 or not course[-1].macs_so_far:
        return
    macs, params = _half(m, "macs"), _half(m, "params")
    yield cited(
        f"Half of the MACs are spent by the end of {macs}, half of the params lie before the end "
        f"of {params}",
        "cumulative",
    )


def _half(m: About, field: str) -> str:
    """The block by whose end half of a field is reached."""
    course = m.profile.course
    whole = getattr(course[-1], f"{field}_so_far")
    return next(s.name for s in course if 2 * getattr(s, f"{field}_so_far") >= whole)


def _rewrites(m: About) -> Iterator[Text]:
    saving = _saving(m)
    if percent(saving, m.total.macs) != "0%":
        several = len(m.best_rewrites) > 1
        yield cited(
            f"Factorizing {counted(len(m.best_rewrites), 'convolution')} (stacked 3x3, 1xn and "
            f"nx1, at {'their' if several else 'its'} input's width) would save {saving:,} MACs, "
            f"{percent(saving, m.total.macs)}",
            "opportunities",
            "; the effect on accuracy is not measured here.",
        )


def _reductions(m: About) -> Iterator[Text]:
    best = next((r for r in m.reductions if r.saved > 0), None)
    if best and percent(best.saved, m.total.macs) != "0%":
        form = (
            "a strided convolution beside the pool"
            if "pool" in best.scheme
            else "a pool beside the convolution, which makes the new channels only,"
        )
        yield cited(
            f"Grid reduction: at {best.place} {form} would save "
            f"{best.saved:,} MACs, {percent(best.saved, m.total.macs)}",
            "reductions",
        )
    narrow = [r.place for r in m.reductions if r.bottleneck]
    if narrow:
        yield cited(f"A representational bottleneck is at {listed(narrow)}", "reductions")


def _audits(c: Context) -> Iterator[Text]:
    for m, ident in c.idents("audit"):
        if m.audit and m.audit.cells:
            cells = [x for x in m.audit.cells if x.column in ("params", "ops")]
            verdicts = Counter(x.verdict for x in cells)
            yield cited(
                f"Published figures of {m.name}: of {len(cells)} printed params and ops, "
                f"{listed(f'{n} {verdict}' for verdict, n in verdicts.items())}",
                ident,
            )


def _time(m: About) -> Iterator[Text]:
    measured = m.trace.measured
    if not measured:
        return
    r = roofline(m.trace)
    slow = sorted(r.places, key=lambda p: -p.seconds)[:3]
    share = percent(sum(p.seconds for p in slow), sum(p.seconds for p in r.places))
    names = listed(f"{p.name} ({100 * p.share:.0f}%)" for p in slow)
    where = f"{measured.conditions['device']} ({measured.conditions['dtype']})"
    time = charts.milliseconds(r.total.median)
    yield cited(f"Time: {time} ms on {where}; {share} of it in {names}", "roofline")


def _lower_bounds(c: Context) -> Iterator[Text]:
    for m in c.models:
        if m.total.unknown:
            yield Text(f"Totals of {m.name} are a lower bound: {m.total.coverage}.")

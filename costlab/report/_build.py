"""The sections, and a document made of them."""
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from .. import reference
from ..analysis import audit as auditing
from ..analysis.bottleneck import bottleneck
from ..analysis.change import change
from ..analysis.compare import compare
from ..analysis.diagram import diagram
from ..analysis.factorize import candidate_sheet, candidates, curve, rules
from ..analysis.grid import grid
from ..analysis.profile import pareto, profile
from ..cost import total
from ..graph import layer_graph, longest
from ..render import charts
from ..render.diagram import dot, side_by_side, svg
from ..render.document import Document, Grid, Numbers, Picture, Section, Text
from ..tables import table
from ..trace import Trace
from ._config import Config, ReportError


@dataclass(frozen=True)
class Context:
    """What a section is made of: the first model's trace, all of them, base and head of a review (or None), and
    `find(spec)`, which traces another model by name."""

    traces: tuple[Trace, ...]
    review: tuple[Trace, Trace] | None
    command: str
    find: Callable[[str], Trace]

    @property
    def first(self) -> Trace:
        """The model that the report is about."""
        return self.traces[0]


def _chart(draw, *results, caption, alt):
    picture = charts.render(draw, *results, format="svg").decode()
    return Picture(picture[picture.index("<svg"):], caption, alt)


def _diagram(text, d, caption, main=False):
    return Picture(svg(text, d.alt), caption, d.alt, main)


def _name(trace):
    return trace.provenance["model"]


def summary(c: Context):
    """One page in plain words."""
    if c.review:
        base, head = (total(t) for t in c.review)
        share = lambda a, b: f"{100 * (b - a) / a:+.1f}%" if a else "new"  # noqa: E731
        return [Text(f"{_name(c.review[1])} against {_name(c.review[0])}: {share(base.macs, head.macs)} MACs, {share(base.params, head.params)} params."),
                Numbers(((charts.short(head.macs), f"MACs, {share(base.macs, head.macs)}"), (charts.short(head.params), f"params, {share(base.params, head.params)}"),
                         (charts.short(head.activations), f"activations, {share(base.activations, head.activations)}"))),
                Text("The section What changed goes through it block by block.")]
    t, p = total(c.first), profile(c.first)
    found = [x for x in candidates(c.first, ["stacked-3x3", "1xn-nx1"], "in") if x.saved > 0]
    best = {}
    for x in found:
        best.setdefault(x.path, x)
    saving = sum(x.saved for x in best.values())
    dear = max(p.steps, key=lambda s: s.macs) if p.steps else None
    heavy = max(p.steps, key=lambda s: s.params) if p.steps else None
    n = longest(layer_graph(c.first))
    parts = [Numbers(((charts.short(t.params), "params"), (charts.short(t.macs), "MACs (multiply-adds)"), (charts.short(t.activations), "activations (elements)"),
                      (str(n), "layers with weights on the longest path"), (f"{100 * saving / t.macs:.0f}%" if t.macs else "0%", "of MACs that factorizing could save")))]
    words = [f"{_name(c.first)} has {t.params:,} params and takes {t.macs:,} multiply-adds for its input."]
    if dear and heavy and t.macs and t.params:
        words.append(f"Most compute is in {dear.name} ({100 * dear.macs / t.macs:.0f}% of MACs), most params are in {heavy.name} ({100 * heavy.params / t.params:.0f}%).")
    if best:
        words.append(f"Replacing {len(best)} convolutions by stacked 3x3 or 1xn and nx1 pairs, at their input's width, would save {saving:,} MACs; accuracy is not looked at here.")
    if t.unknown:
        words.append(f"Totals are a lower bound: {t.coverage}.")
    if len(c.traces) > 1:
        words += [s + "." for s in compare(c.traces).sentences]
    return [*parts, Text(" ".join(words)), Text("Numbers are computed from a trace of the model; published figures are labelled as published.")]


def table_section(c: Context):
    """The network's table."""
    t = table(c.first)
    sheet = replace(t.sheet, notes=t.notes)
    style = {"paper": "in the format of GoogLeNet's Table 1", "resnet": "in the format of the residual networks' table", "layers": "by module"}[t.style]
    return [Grid(sheet, f"{_name(c.first)} {style}", True)]


def cost(c: Context):
    """Where it goes."""
    p = profile(c.first)
    if not p.steps:
        return [Text("The model has no params and no MACs.")]
    most = sorted(p.steps, key=lambda s: -s.macs)[:3]
    alt = "; ".join(f"{s.name} {charts.short(s.macs)} MACs" for s in p.steps)
    return [Text("The three dearest blocks are " + ", ".join(f"{s.name} ({charts.short(s.macs)} MACs)" for s in most) + "."),
            _chart(charts.stages, p, caption="Params, MACs and activations by stage, from input to output", alt=f"Bar charts of cost by stage: {alt}"),
            _chart(charts.cumulative, p, caption="Share of all params and MACs up to each stage", alt="Lines of the cumulative share of MACs and params by stage")]


def diagrams(c: Context):
    """The network, and its dearest module."""
    d = diagram(c.first)
    parts = [_diagram(dot(d), d, f"{_name(c.first)} as blocks; bars are shares of all MACs", True)]
    t = table(c.first)
    if t.style == "paper":
        forks = [r for r in t.rows if layer_graph(c.first)[max(r.nodes)].kind == "cat"]
        if forks:
            row = max(forks, key=lambda r: r.macs)
            try:
                m = diagram(c.first, module=row.id)
            except ValueError:  # a fork that is no module of its own has no path to open
                return parts
            parts.append(_diagram(dot(m), m, f"The dearest module, {row.cells['type']}, opened"))
    return parts


def opportunities(c: Context):
    """Rewrites found in this model."""
    found = [x for x in candidates(c.first, ["stacked-3x3", "1xn-nx1"], "in") if x.saved > 0][:12]
    if not found:
        return [Text("No convolution of this model is saved MACs by stacked 3x3 or by 1xn and nx1 pairs at its input's width.")]
    sheet = candidate_sheet(_name(c.first), found, total(c.first))
    return [Text("Rewrites at the input's width, ranked by MACs saved. Each is a change of the model, to be trained and measured; 28% fewer operations need not be 28% less time."),
            Grid(sheet, "Convolutions that factorizing would make cheaper")]


def auditing_section(c: Context):
    """Published figures against the trace."""
    name = _name(c.first)
    tables = {"googlenet": ("googlenet_table1", (("googlenet_separable", "a separable 7x7 stem of depth multiplier 8"),)),
              "bn_inception": ("bn_inception_table", ()), "inception_v2": ("inception_v2_table1", ())}
    totals = [r for r in reference.load("printed_totals") if r["model"] == name]
    if name not in tables and not totals:
        return [Text("There are no published figures for this model in costlab's reference data; check a table of your own with costlab audit --against FILE.csv.")]
    parts = []
    if name in tables:
        source, others = tables[name]
        rows = reference.load(source)
        made = auditing.audit(rows, c.first, [(words, c.find(other)) for other, words in others], f"{name} against {rows[0]['source']}")
        parts += [Text("Every printed number against the recomputed one, with the convention that explains it; verdicts are found by trying conventions, not written by hand."),
                  Grid(made.sheet, f"Audit of {rows[0]['source']}") if made.cells else Text(f"{rows[0]['source']}: " + "; ".join(made.notes) + ".")]
    if totals:
        cells = auditing.audit_totals(name, c.first, totals)
        parts.append(Grid(auditing.Audit(f"{name}: published totals", cells, (), ("published figures, as cited",)).sheet, "Published totals against the trace"))
    return parts


def comparison(c: Context):
    """Several models side by side."""
    if len(c.traces) < 2:
        return [Text("The report is about one model; name several to compare them.")]
    result = compare(c.traces)
    return [Text(". ".join(result.sentences) + "."), Grid(result.sheet, "Totals, then stage by stage where the networks work on grids of the same stride")]


def changes(c: Context):
    """What a review is about."""
    if not c.review:
        return [Text("No base and head were given; see costlab report --base A --head B.")]
    result = change(*c.review)
    parts = [Grid(result.sheet, f"Blocks that differ between {result.base} and {result.head}")]
    if any(s.macs[0] != s.macs[1] for s in result.steps):
        parts.insert(0, _chart(charts.waterfall, result, caption="MACs from base to head, block by block", alt="Waterfall chart of the change in MACs: " + "; ".join(
            f"{s.name} {s.macs[1] - s.macs[0]:+,}" for s in result.steps if s.macs[0] != s.macs[1])))
    return parts


def measurements(c: Context):
    """Measured time and memory, where the trace has them."""
    return [Text("Not measured: the trace carries no times, memory or roofline. Counts say what must be done, not how long it takes.")]


def conventions(c: Context):
    """How it was counted, and how to do it again."""
    p, t = c.first.provenance, total(c.first)
    inputs = ", ".join(f"{s} {d}" for s, d in p["inputs"])
    words = [f"One MAC is one multiply-add of a convolution or matrix product, and two FLOPs. Params are counted once, also when shared or tied. Activations are the "
             f"outputs of convolutions and products. Coverage: {t.coverage}.",
             f"Traced on {p['device']} with torch {p['torch']} and costlab {p['costlab']}, input {inputs}." + (f" Model: {p['source']}." if "source" in p else ""),
             f"To reproduce: {c.command}"]
    return [Text(w) for w in words]


def factorization(c: Context):
    """The rules of factorized convolutions."""
    made = rules()
    return [Grid(made.sheet, "Factorized convolutions at equal widths, each measured by tracing both modules"),
            _chart(charts.savings, made, curve(64, 64), caption="MACs saved at equal widths, and the break-even width of a 5x5 as two 3x3", alt="Bars of MACs saved by rule: "
                   + "; ".join(f"{r.name} {100 * r.saving:.1f}%" for r in made.rules)),
            Text("At other widths the saving differs: GoogLeNet's own 5x5 branches go from 16 to 32 channels, where two 3x3 with the output's width in the middle cost more."),
            _chart(charts.savings, rules(16, 32), curve(16, 32), caption="The same from 16 to 32 channels, as in GoogLeNet's module 3a", alt="Bars and break-even curve from 16 to 32 channels")]


def reduction(c: Context):
    """Grid reductions."""
    made = grid()
    drawn = [diagram(s.trace, module="") for s in made.schemes]
    return [Grid(made.sheet, "Four ways from 35x35x320 to 17x17x640"),
            _chart(charts.grid, made, caption="MACs of each scheme", alt="Bars of MACs: " + "; ".join(f"{s.name} {charts.short(s.macs)}" for s in made.schemes)),
            Picture(svg(side_by_side(drawn), "; ".join(d.alt for d in drawn)), "The schemes", "; ".join(d.alt for d in drawn), True)]


def reductions(c: Context):
    """Naive against reduced modules."""
    return [Grid(bottleneck().sheet, "Naive against reduced Inception modules")]


def errors(c: Context):
    """Cost against published error."""
    made = pareto()
    return [_chart(charts.pareto, made, caption="MACs from traces against published top-5 error", alt="Scatter of MACs and published top-5 error: "
                   + "; ".join(f"{p.name} {charts.short(p.macs)}, {p.top5}%" for p in made.points)), Grid(made.sheet, "Cost and published error")]


# id -> (title, function, in a report by default)
SECTIONS = {"summary": ("Summary", summary, True), "change": ("What changed", changes, False), "table": ("The network's table", table_section, True),
            "cost": ("Where the cost goes", cost, True), "diagram": ("Block diagrams", diagrams, True), "opportunities": ("What factorizing would save", opportunities, True),
            "audit": ("Published figures, audited", auditing_section, True), "comparison": ("Comparison", comparison, False),
            "factorization": ("Factorized convolutions", factorization, False), "grid-reduction": ("Grid reduction", reduction, False),
            "bottleneck": ("Naive and reduced modules", reductions, False), "error": ("Cost against error", errors, False),
            "measurements": ("Measured time, memory and roofline", measurements, True), "conventions": ("Conventions and provenance", conventions, True)}


def build(config: Config, traces, review, command: str, find, progress=None) -> Document:
    """The document of a configuration. `progress(done, of, title)` is called before each section.

    Raises ReportError for an unknown section or an unreadable logo."""
    names = config.sections or tuple(k for k, (_, _, default) in SECTIONS.items() if default or k == "comparison" and len(traces) > 1 or k == "change" and review)
    for name in names:
        if name not in SECTIONS:
            raise ReportError(f"unknown section {name!r}; there are {', '.join(SECTIONS)}")
    context, notes, sections = Context(tuple(traces), review, command, find), dict(config.notes), []
    for i, name in enumerate(names):
        title, make, _ = SECTIONS[name]
        if progress:
            progress(i, len(names), title)
        note = [Text(notes[name], True)] if name in notes else []
        sections.append(Section(name, title, (*note, *make(context))))
    logo = None
    if config.logo:
        suffix = os.path.splitext(config.logo)[1].lower()
        if suffix not in (".svg", ".png", ".jpg", ".jpeg"):
            raise ReportError(f"the logo {config.logo} is no .svg, .png or .jpg")
        try:
            with open(config.logo, "rb") as f:
                logo = (f.read(), suffix)
        except OSError as e:
            raise ReportError(f"cannot read the logo {config.logo}: {e.strerror}") from None
    models = " and ".join(_name(t) for t in traces) if len(traces) < 3 else f"{_name(traces[0])} and {len(traces) - 1} others"
    title = config.title or (f"Review: {_name(review[0])} to {_name(review[1])}" if review else f"What {models} costs, and why")
    return Document(title, config.subtitle or f"Computed by costlab {traces[0].provenance['costlab']}", tuple(sections), config.paper, logo)

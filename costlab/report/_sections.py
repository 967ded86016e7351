"""The sections of a report: one function each, in `SECTIONS`. Numbers come from traces; published figures are called so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from ..analysis import audit as auditing
from ..analysis.bottleneck import bottleneck
from ..analysis.change import change
from ..analysis.compare import compare
from ..analysis.diagram import diagram
from ..analysis.factorize import candidate_sheet, candidates, curve, rules
from ..analysis.grid import grid, reduction_sheet, reductions
from ..analysis.memory import memory
from ..analysis.profile import pareto, profile
from ..analysis.roofline import against, roofline
from ..analysis.savings import factorization_savings, grid_savings
from ..cost import scaled, short, total
from ..graph import layer_graph, longest
from ..measure.runs import Run
from ..render import charts
from ..render.diagram import dot, side_by_side, svg
from ..render.document import Grid, Numbers, Picture, Points, Ref, Text
from ..tables import table
from ..trace import Trace
from ._measured import saved_time

SHOWN = 12  # rows of a ranking; the command lists the rest


@dataclass(frozen=True)
class About:
    """One model of the report: its `trace`, and what is found in it; `find(spec)` traces another model by name."""

    trace: Trace
    find: Callable[[str], Trace]

    @property
    def name(self) -> str:
        """What it is called."""
        return _name(self.trace)

    @cached_property
    def total(self):
        """Its totals."""
        return total(self.trace)

    @cached_property
    def profile(self):
        """Its cost by stage."""
        return profile(self.trace)

    @cached_property
    def rows(self):
        """The rows of its table, alike modules as one."""
        return table(self.trace, convention="macs").rows

    @cached_property
    def rewrites(self):
        """Rewrites that save MACs at the input's width, the best first."""
        return [c for c in candidates(self.trace, ["stacked-3x3", "1xn-nx1"], "in") if c.saved > 0]

    @cached_property
    def best_rewrites(self):
        """The best rewrite of each convolution."""
        best = {}
        for c in self.rewrites:
            best.setdefault(c.path, c)
        return list(best.values())

    @cached_property
    def reductions(self):
        """Places where the grid shrinks."""
        return reductions(self.trace)

    @cached_property
    def audit(self):
        """Published figures against the trace; None where there are none."""
        return (
            auditing.audit_published(self.trace, self.find)
            if self.name in auditing.published_models()
            else None
        )


@dataclass(frozen=True)
class Context:
    """What a section is made of: the traces (the first is what the report is about), base and head of a review (or None), the command that
    makes the report, `find(spec)`, which traces another model by name, and the measured `runs`."""

    traces: tuple[Trace, ...]
    review: tuple[Trace, Trace] | None
    command: str
    find: Callable[[str], Trace]
    runs: tuple[Run, ...] = ()

    @cached_property
    def models(self) -> tuple[About, ...]:
        """What is known of each model."""
        return tuple(About(t, self.find) for t in self.traces)

    @property
    def first(self) -> Trace:
        """The trace of the model that the report is about."""
        return self.traces[0]

    @property
    def everything(self) -> tuple[Trace, ...]:
        """Every trace that the report takes numbers from, once."""
        found = {id(t): t for t in (*self.traces, *(self.review or ()))}
        return tuple(found.values())

    @cached_property
    def change(self):
        """Base against head."""
        return change(*self.review)


def _name(trace):
    return trace.provenance["model"]


def _chart(draw, *results, id, caption, alt, linked=False):
    picture = charts.render(draw, *results, format="svg").decode()
    return Picture(picture[picture.index("<svg") :], caption, alt, id, linked=linked)


def _each(c: Context, *stems):
    """(model, id of each stem) of every model; the first one's ids are the stems alone."""
    return [
        (m, *(stem if i == 0 else f"{stem}-{i + 1}" for stem in stems))
        for i, m in enumerate(c.models)
    ]


def _percent(part, whole) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "0%"


def _list(words) -> str:
    *most, last = list(words) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last


def _changes_in_short(c: Context):
    base, head = (total(t) for t in c.review)
    share = lambda a, b: f"{100 * (b - a) / a:+.1f}%" if a else "new"  # noqa: E731
    steps = [s for s in c.change.steps if s.what != "equal"]
    kinds = Counter(s.what for s in steps)
    most = sorted(steps, key=lambda s: -abs(s.macs[1] - s.macs[0]))[:3]
    items = [
        Text(
            (
                f"{_list([f'{n} {what}' for what, n in kinds.items()])} of {len(c.change.steps)} blocks"
                if steps
                else "No block differs",
                Ref("changes"),
                ".",
            )
        ),
        *(
            Text(
                (
                    f"{s.name} ({s.what}): {s.macs[1] - s.macs[0]:+,} MACs, {s.params[1] - s.params[0]:+,} params",
                    Ref("waterfall"),
                    ".",
                )
            )
            for s in most
        ),
    ]
    return [
        Text(
            f"{_name(c.review[1])} against {_name(c.review[0])}: {share(base.macs, head.macs)} MACs, {share(base.params, head.params)} params, "
            f"{share(base.activations, head.activations)} activations."
        ),
        Numbers(
            tuple(
                (scaled(getattr(head, f)), f"{word}, {share(getattr(base, f), getattr(head, f))}")
                for f, word in (
                    ("params", "params"),
                    ("macs", "MACs (multiply-adds)"),
                    ("activations", "activations (elements)"),
                    ("written", "bytes written"),
                )
            )
            + (
                (
                    str(longest(layer_graph(c.review[1]))),
                    f"layers deep, base {longest(layer_graph(c.review[0]))}",
                ),
            )
        ),
        Points(tuple(items)),
    ]


def summary(c: Context):
    """One page in plain words."""
    if c.review:
        return _changes_in_short(c)
    first = c.models[0]
    t, steps, measured = first.total, first.profile.steps, first.trace.measured
    depth, saving = longest(layer_graph(first.trace)), sum(x.saved for x in first.best_rewrites)
    inputs = _list(f"{shape} {dtype}" for shape, dtype in first.trace.provenance["inputs"])
    parts = [
        Numbers(
            (
                (scaled(t.params), "params"),
                (scaled(t.macs), "MACs (multiply-adds)"),
                (scaled(t.activations), "activations (elements)"),
                (str(depth), "layers with weights on the longest path"),
                (_percent(saving, t.macs), "of MACs that factorizing could save"),
            )
        ),
        Text(
            f"{first.name} has {t.params:,} params and takes {t.macs:,} multiply-adds for the input {inputs}."
        ),
    ]
    items = []
    if steps and t.macs:
        dear = sorted(first.rows, key=lambda s: -s.macs)[:3]
        items.append(
            Text(
                (
                    f"Compute: {_percent(sum(s.macs for s in dear), t.macs)} of its MACs are in {_list(f'{s.name} ({_percent(s.macs, t.macs)})' for s in dear)}",
                    Ref("stages"),
                    ".",
                )
            )
        )
    if steps and t.params:
        heavy = sorted(first.rows, key=lambda s: -s.params)[:3]
        items.append(
            Text(
                (
                    f"Params: {_percent(sum(s.params for s in heavy), t.params)} are in {_list(f'{s.name} ({_percent(s.params, t.params)})' for s in heavy)}",
                    Ref("network"),
                    ".",
                )
            )
        )
    if len(steps) > 4 and t.macs and t.params:
        half = lambda field, whole: next(s.name for s in steps if 2 * getattr(s, field) >= whole)  # noqa: E731
        items.append(
            Text(
                (
                    f"Half of the MACs are spent by the end of {half('macs_so_far', t.macs)}, half of the params lie before the end of "
                    f"{half('params_so_far', t.params)}",
                    Ref("cumulative"),
                    ".",
                )
            )
        )
    if first.best_rewrites:
        items.append(
            Text(
                (
                    f"Factorizing {len(first.best_rewrites)} convolutions (stacked 3x3, 1xn and nx1, at their input's width) would save {saving:,} MACs, "
                    f"{_percent(saving, t.macs)}",
                    Ref("opportunities"),
                    "; what it does to accuracy is not looked at here.",
                )
            )
        )
    places = [r for r in first.reductions if r.saved > 0]
    if places:
        items.append(
            Text(
                (
                    f"Grid reduction: at {places[0].place} a strided convolution beside the pool would save {places[0].saved:,} MACs, {_percent(places[0].saved, t.macs)}",
                    Ref("reductions"),
                    ".",
                )
            )
        )
    narrow = [r.place for r in first.reductions if r.bottleneck]
    if narrow:
        items.append(
            Text((f"A representational bottleneck is at {_list(narrow)}", Ref("reductions"), "."))
        )
    for m, ident in _each(c, "audit"):
        if m.audit and m.audit.cells:
            verdicts = Counter(x.verdict for x in m.audit.cells if x.column in ("params", "ops"))
            items.append(
                Text(
                    (
                        f"Published figures of {m.name}: of {sum(verdicts.values())} printed params and ops, {_list(f'{n} {v}' for v, n in verdicts.items())}",
                        Ref(ident),
                        ".",
                    )
                )
            )
    if len(c.traces) > 1:
        items += [Text((s, Ref("compared"), ".")) for s in compare(c.traces).sentences]
    if measured:
        r = roofline(first.trace)
        slow = sorted(r.places, key=lambda p: -p.seconds)[:3]
        items.append(
            Text(
                (
                    f"Time: {charts.milliseconds(r.total.median)} ms on {measured.conditions['device']} ({measured.conditions['dtype']}); "
                    f"{_percent(sum(p.seconds for p in slow), sum(p.seconds for p in r.places))} of it in {_list(f'{p.name} ({100 * p.share:.0f}%)' for p in slow)}",
                    Ref("roofline"),
                    ".",
                )
            )
        )
    for m in c.models:
        if m.total.unknown:
            items.append(Text(f"Totals of {m.name} are a lower bound: {m.total.coverage}."))
    return [
        *parts,
        Points(tuple(items)),
        Text(
            "Every number is computed from a trace of the model; published figures are labelled as published."
        ),
    ]


def introduction(c: Context):
    """What the report's own note says."""
    return []


_STYLES = {
    "paper": "in the format of GoogLeNet's Table 1",
    "resnet": "in the format of the residual networks' table",
    "layers": "by module",
}


def tables(c: Context):
    """The network's table, and that of each other model."""
    found = []
    for m, ident in _each(c, "network"):
        t = table(m.trace)
        found.append(Grid(t.sheet, f"{m.name} {_STYLES[t.style]}", ident, m is c.models[0]))
    return found


def cost(c: Context):
    """Where it goes."""
    found = []
    for m, ident, so_far in _each(c, "stages", "cumulative"):
        steps, linked = m.profile.steps, m is c.models[0]
        if not steps:
            found.append(Text(f"{m.name} has no params and no MACs."))
            continue
        most = sorted(steps, key=lambda s: -s.macs)[:3]
        alt = "; ".join(f"{s.name} {short(s.macs)} MACs" for s in steps)
        found += [
            Text(
                (
                    f"The dearest blocks of {m.name} are {_list(f'{s.name} ({short(s.macs)} MACs)' for s in most)}",
                    Ref(ident),
                    ".",
                )
            ),
            _chart(
                charts.stages,
                m.profile,
                id=ident,
                caption=f"{m.name}: params, MACs and activations by stage, from input to output",
                alt=f"Bar charts of cost by stage: {alt}",
                linked=linked,
            ),
        ]
        if linked and len(steps) > 1:
            found.append(
                _chart(
                    charts.cumulative,
                    m.profile,
                    id=so_far,
                    caption=f"{m.name}: share of all params and MACs up to each stage",
                    alt="Lines of the cumulative share of MACs and params by stage",
                )
            )
    return found


def diagrams(c: Context):
    """The networks, and the dearest module of the first."""
    found, first = [], c.models[0]
    for m, ident in _each(c, "blocks"):
        d = diagram(m.trace)
        found.append(
            Picture(
                svg(dot(d), d.alt),
                f"{m.name} as blocks; bars are shares of all its MACs",
                d.alt,
                ident,
                True,
                m is first,
            )
        )
    t, nodes = table(first.trace), layer_graph(first.trace)
    forks = [r for r in t.rows if nodes[max(r.nodes)].kind == "cat"] if t.style == "paper" else []
    if forks:
        row = max(forks, key=lambda r: r.macs)
        try:
            d = diagram(first.trace, module=row.id)
        except ValueError:  # a fork that is no module of its own has no path to open
            return found
        found.append(
            Picture(
                svg(dot(d), d.alt),
                f"The dearest module of {first.name}, {row.cells['type']}, opened",
                d.alt,
                "module",
            )
        )
    return found


def opportunities(c: Context):
    """Rewrites and grid reductions found in each model."""
    found = []
    for m, one, two in _each(c, "opportunities", "reductions"):
        if m.rewrites:
            sheet = candidate_sheet(m.name, m.rewrites, m.total, top=SHOWN)
            keep = [k for k in sheet.columns if not k.key.startswith("params")]
            found += [
                Text(
                    (
                        f"Rewrites of single convolutions of {m.name} at their input's width, ranked by MACs saved",
                        Ref(one),
                        ". Each changes the model, which is to be trained and measured again: 28% fewer operations need not be 28% less time.",
                    )
                ),
                Grid(
                    replace(sheet, columns=tuple(keep)),
                    f"Convolutions of {m.name} that factorizing would make cheaper",
                    one,
                ),
            ]
        else:
            found.append(
                Text(
                    f"No convolution of {m.name} is saved MACs by stacked 3x3 or by 1xn and nx1 pairs at its input's width."
                )
            )
        if m.reductions:
            sheet = reduction_sheet(m.name, m.reductions, m.total, top=SHOWN)
            keep = [k for k in sheet.columns if k.key != "narrowest"]
            found += [
                Text(
                    (
                        f"Where the grid of {m.name} shrinks, and what a strided convolution beside the pool would save there",
                        Ref(two),
                        ".",
                    )
                ),
                Grid(replace(sheet, columns=tuple(keep)), f"Grid reductions of {m.name}", two),
            ]
        else:
            found.append(
                Text(f"The grid of {m.name} does not shrink by pools or strided convolutions.")
            )
    return found


def audits(c: Context):
    """Published figures against the traces."""
    found = []
    for m, ident in _each(c, "audit"):
        if m.audit and not m.audit.cells:
            found.append(Text(f"Published figures of {m.name}: {m.audit.notes[0]}."))
            continue
        found += (
            [
                Text(
                    (
                        f"Every printed number of {m.name} beside the recomputed one",
                        Ref(ident),
                        ". Verdicts are found by trying conventions, not written by hand.",
                    )
                ),
                Grid(m.audit.sheet, m.audit.title, ident),
            ]
            if m.audit
            else [
                Text(
                    f"There are no published figures for {m.name} in costlab's reference data; check a table of your own with costlab audit --against FILE.csv."
                )
            ]
        )
    return found


def comparison(c: Context):
    """Several models side by side."""
    if len(c.traces) < 2:
        return [Text("The report is about one model; name several to compare them.")]
    result = compare(c.traces)
    return [
        Text((f"{'. '.join(result.sentences)}", Ref("compared"), ".")),
        Grid(
            result.sheet,
            "Totals, then stage by stage where the networks work on grids of the same stride",
            "compared",
        ),
    ]


def changes(c: Context):
    """What a review is about."""
    if not c.review:
        return [Text("No base and head were given; see costlab report --base A --head B.")]
    result = c.change
    if all(s.what == "equal" for s in result.steps):
        return [Text(f"Every block of {result.head} equals its counterpart in {result.base}.")]
    found = [
        Grid(result.sheet, f"Blocks that differ between {result.base} and {result.head}", "changes")
    ]
    moved = [s for s in result.steps if s.macs[0] != s.macs[1]]
    if moved:
        found.insert(
            0,
            _chart(
                charts.waterfall,
                result,
                id="waterfall",
                caption="MACs from base to head, block by block",
                alt="Waterfall chart of the change in MACs: "
                + "; ".join(f"{s.name} {s.macs[1] - s.macs[0]:+,}" for s in moved),
            ),
        )
    return found


def measurements(c: Context):
    """Measured time and memory, where the trace has them."""
    m = memory(c.first)
    curve = [
        Text(
            (
                f"By liveness {_name(c.first)} holds {m.peak:,} bytes at its peak beyond params, buffers and inputs, in {m.place or 'the model'}",
                Ref("memory"),
                "." if m.measured is None else f"; the allocator's peak was {m.measured:,} bytes.",
            )
        ),
        _chart(
            charts.memory,
            m,
            id="memory",
            caption="Memory beyond params, buffers and inputs while each operation runs",
            alt=f"Area chart of bytes alive by operation; peak {m.peak:,} bytes in {m.place or 'the model'}",
        ),
    ]
    made = [(t, roofline(t)) for t in c.everything if t.measured]
    if not made:
        return [
            Text(
                "Not measured: the trace carries no times and no roofline. Counts say what must be done, not how long it takes; costlab trace MODEL --measure makes a "
                "trace that says both."
            ),
            *curve,
        ]
    found = (
        [Text(f"Not measured: {_list(missing)}.")]
        if (missing := [_name(t) for t in c.everything if not t.measured])
        else []
    )
    for i, (t, r) in enumerate(made):
        ident, conditions = "roofline" if i == 0 else f"roofline-{i + 1}", t.measured.conditions
        found += [
            Text(
                (
                    f"{r.model} takes {charts.milliseconds(r.total.median)} ms on {conditions['device']} ({conditions['dtype']})",
                    Ref(ident),
                    ".",
                )
            ),
            Grid(r.sheet, f"{r.model}: time in place and what bounds it", f"{ident}-table"),
            _chart(
                charts.roofline,
                r,
                id=ident,
                caption=f"{r.model} under the ceilings of its device",
                alt="Roofline: "
                + "; ".join(
                    f"{p.name} {p.rate / 1e9:,.1f} GFLOP/s at {p.intensity:,.1f} FLOP/byte, {p.bound}-bound"
                    for p in r.places
                    if p.bound
                ),
            ),
        ]
    said = [s for t in c.traces[1:] if (s := against(c.first, t))]
    if c.review and (s := against(*c.review)):
        said.insert(0, s)
    return [*found, *(Text(s + ".") for s in said), *curve]


def conventions(c: Context):
    """What the words mean, how it was counted, and how to do it again."""
    words = (
        "MAC: one multiply-add of a convolution or matrix product; two FLOPs. Elementwise work has FLOPs and no MACs.",
        "params: elements of all parameters, each counted once, also when shared or tied; the paper convention counts weights only.",
        "activations: elements that convolutions and matrix products put out. depth: layers with weights on the longest path.",
        "K, M and G are 1,000, 1e6 and 1e9, but for params in the paper convention, where K is 1,024; each table states its own.",
    )

    def made(t):
        p, mode = t.provenance, ", in training mode with the backward pass" if t.trained else ""
        inputs = _list(f"{s} {d}" for s, d in p["inputs"])
        return Text(
            f"{_name(t)}: {total(t).coverage}; traced on {p['device']} with torch {p['torch']} and costlab {p['costlab']}{mode}, input {inputs}."
            + (f" Model: {p['source']}." if "source" in p else "")
        )

    return [
        Points(tuple(map(Text, words))),
        Text(
            "What was traced, and its coverage. An operation without a formula would be named, and totals called a lower bound."
        ),
        Points(tuple(map(made, c.everything))),
        Text(f"To reproduce: {c.command}"),
    ]


def factorization(c: Context):
    """The rules of factorized convolutions."""
    made = rules()
    return [
        Text(
            (
                "Each rule is measured by tracing both modules at 64 channels",
                Ref("rules"),
                "; what it saves depends on the widths",
                Ref("rules-chart"),
                ".",
            )
        ),
        Grid(made.sheet, "Factorized convolutions at equal widths", "rules"),
        _chart(
            charts.savings,
            made,
            curve(64, 64),
            id="rules-chart",
            caption="MACs saved at equal widths, and the break-even width of a 5x5 as two 3x3",
            alt="Bars of MACs saved by rule: "
            + "; ".join(f"{r.name} {100 * r.saving:.1f}%" for r in made.rules),
        ),
        Text(
            (
                "At other widths the saving differs. GoogLeNet's own 5x5 branches go from 16 to 32 channels in module 3a, where two 3x3 with the output's width between "
                "them cost more",
                Ref("rules-chart-narrow"),
                ".",
            )
        ),
        _chart(
            charts.savings,
            rules(16, 32),
            curve(16, 32),
            id="rules-chart-narrow",
            caption="The same from 16 to 32 channels, as in GoogLeNet's module 3a",
            alt="Bars and break-even curve from 16 to 32 channels",
        ),
        *(
            _pair(r)
            for r in made.rules
            if r.name in ("5x5 -> 3x3 + 3x3", "7x7 -> three 3x3", "3x3 -> 1x3 + 3x1")
        ),
        *saved_time(factorization_savings(c.runs), "rules-measured"),
    ]


def _pair(rule):
    drawn = [
        replace(diagram(t, module=""), title=word)
        for t, word in zip(rule.traces, ("before", "after"))
    ]
    alt = "; ".join(f"{d.title}: {d.alt}" for d in drawn)
    return Picture(
        svg(side_by_side(drawn), alt),
        f"{rule.name}, before and after",
        alt,
        f"pair-{rule.name.split(' ')[0]}",
    )


def reduction(c: Context):
    """Grid reductions."""
    made = grid()
    pictures = []
    for i in range(0, len(made.schemes), 2):  # two beside each other stay readable
        chosen = made.schemes[i : i + 2]
        drawn = [diagram(s.trace, module="") for s in chosen]
        alt = "; ".join(d.alt for d in drawn)
        pictures.append(
            Picture(
                svg(side_by_side(drawn), alt),
                _list(s.name for s in chosen),
                alt,
                f"schemes-drawn-{i // 2 + 1}",
            )
        )
    return [
        Text(
            (
                "Four ways from 35x35x320 to 17x17x640",
                Ref("schemes"),
                ", each traced",
                Ref("schemes-chart"),
                ". Pooling first is cheap, but all data must pass a narrow place; "
                "convolving first is dear; both in parallel is cheap and has no narrow place.",
            )
        ),
        Grid(made.sheet, "Four ways from 35x35x320 to 17x17x640", "schemes"),
        _chart(
            charts.grid,
            made,
            id="schemes-chart",
            caption="MACs of each scheme",
            alt="Bars of MACs: " + "; ".join(f"{s.name} {short(s.macs)}" for s in made.schemes),
        ),
        *pictures,
        *saved_time(grid_savings(c.runs), "schemes-measured"),
    ]


def reduced_modules(c: Context):
    """Naive against reduced modules."""
    made = bottleneck()
    return [
        Grid(made.sheet, "Naive against reduced Inception modules", "bottleneck"),
        _chart(
            charts.bottleneck,
            made,
            id="bottleneck-chart",
            caption="MACs of naive and reduced modules",
            alt="Paired bars: "
            + "; ".join(
                f"{p.name} {short(p.naive.macs)} naive, {short(p.reduced.macs)} reduced"
                for p in made.pairs
            ),
        ),
    ]


def errors(c: Context):
    """Cost against published error."""
    made = pareto()
    return [
        _chart(
            charts.pareto,
            made,
            id="pareto",
            caption="MACs from traces against published top-5 error",
            alt="Scatter of MACs and published top-5 error: "
            + "; ".join(f"{p.name} {short(p.macs)}, {p.top5}%" for p in made.points),
        ),
        Grid(made.sheet, "Cost and published error", "errors"),
    ]


# id -> (title, function, in a report by default)
SECTIONS = {
    "introduction": ("Introduction", introduction, False),
    "summary": ("Summary", summary, True),
    "change": ("What changed", changes, False),
    "table": ("The network's table", tables, True),
    "cost": ("Where the cost goes", cost, True),
    "diagram": ("Block diagrams", diagrams, True),
    "opportunities": ("What could be saved", opportunities, True),
    "audit": ("Published figures, audited", audits, True),
    "comparison": ("Comparison", comparison, False),
    "factorization": ("Factorized convolutions", factorization, False),
    "grid-reduction": ("Grid reduction", reduction, False),
    "bottleneck": ("Naive and reduced modules", reduced_modules, False),
    "error": ("Cost against error", errors, False),
    "measurements": ("Time, memory and roofline", measurements, True),
    "conventions": ("Conventions and provenance", conventions, True),
}

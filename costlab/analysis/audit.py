"""Printed tables against traces, cell by cell: which convention a table was made with, and which cells none explains.

Nothing is decided by hand. Every cell is tried under weights or weights + biases, K = 1000 or 1024, one or two ops a
multiply-add, truncation, rounding or ceiling, under every reading of the network that is offered (a plain or a separable
stem), and for a fork with another number of input channels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, floor

from .. import reference, zoo
from ..cost import cost_of, is_weight, total
from ..graph import forks, layer_graph
from ..tables import STYLES, Column, Sheet, table
from ..trace import Trace

ROUNDINGS = {"rounded": lambda v: floor(v + 0.5), "truncated": floor, "rounded up": ceil}
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3, "T": 4}
WIDTH_OFF = 0.25  # how far off an input width may be to explain a row
FAR = 0.2  # how far one printed digit that is cut off or rounded up may be off to explain a cell
CHANNEL_STEP = 16  # widths of these papers are multiples of 16


@dataclass(frozen=True)
class Printed:
    """A printed number: its digits times base^power, with `decimals` after the point (negative: the last ones before it are not printed)."""

    text: str
    value: float
    power: int
    decimals: int

    @classmethod
    def parse(cls, text: str) -> Printed | None:
        """159K, 2.7K, 1,024, 3.8e9, 650K; None when there is no number. Raises ValueError for anything else."""
        text = str(text).strip()
        if not text:
            return None
        m = re.fullmatch(
            r"~?\s*(\d[\d,]{0,18}(?:\.(\d{1,9}))?)\s*(?:([KMGBT])|[eE]\+?(\d{1,2}))?", text
        )
        if not m or int(m[4] or 0) > 14:
            raise ValueError(
                f"cannot read the number {text[:40]!r}; write it as 159K, 34M, 1.5G or 1024"
            )
        places = int(m[4] or 0) % 3  # 1.3e8 is 130 millions, of which the last printed digit is ten
        power = int(m[4]) // 3 if m[4] else POWERS[m[3] or ""]
        return cls(text, float(m[1].replace(",", "")) * 10**places, power, len(m[2] or "") - places)

    def fits(self, exact: float, base: int, rounding: str, off: float = 0.1) -> bool:
        """Whether `exact`, in units of base^power, prints as this. Cut off or rounded up it may be `off` by so much of itself: 1.9G is no
        "1G"."""
        unit = 10.0**self.decimals
        # one digit rounded is off by a third at most: 0.6G is no "1G" either
        if (
            abs(self.value - exact / base**self.power)
            > (0.34 if rounding == "rounded" else off) * exact / base**self.power
        ):
            return False
        return round(self.value * unit) == ROUNDINGS[rounding](
            round(exact / base**self.power * unit, 9)
        )


@dataclass(frozen=True)
class Rule:
    """A counting convention for one kind of cell. `factor`: ops a multiply-add; `bias`: biases counted as params, `norm`: norm scales too."""

    kind: str
    base: int
    rounding: str
    bias: bool = False
    factor: int = 1
    norm: bool = False

    def __str__(self):
        if self.kind == "ops":
            letter = "1e6" if self.base == 1000 else "2^20"
            return f"M = {letter}, {'one op' if self.factor == 1 else 'two ops'} a multiply-add, {self.rounding}"
        what = (
            "weights + biases + norm scales"
            if self.norm
            else "weights + biases"
            if self.bias
            else "weights only"
        )
        return f"{what}, K = {self.base}, {self.rounding}"

    def value(self, row: Counted) -> int:
        """The exact count of a row under this rule."""
        if self.kind == "ops":
            return row.macs * self.factor
        return row.weights + (row.biases if self.bias else 0) + (row.norms if self.norm else 0)


# the plainest first: a tie between conventions goes to the earlier one
RULES = {
    "params": tuple(
        Rule("params", k, r, b, norm=n)
        for (b, n), k, r in product(
            ((False, False), (True, False), (True, True)), (1024, 1000), ROUNDINGS
        )
    ),
    "ops": tuple(
        Rule("ops", k, r, factor=f) for f, k, r in product((1, 2), (1000, 1024), ROUNDINGS)
    ),
}


@dataclass(frozen=True)
class Counted:
    """A traced row: exact integers, and for a fork the weights and MACs that one more input channel adds."""

    label: str
    cells: dict
    weights: int
    biases: int
    macs: int
    channels: int = 0
    weights_each: int = 0
    macs_each: int = 0
    norms: int = 0


@dataclass(frozen=True)
class Cell:
    """`printed` as in the table, `value` the exact count under `rule` (or text), `ratio` printed / recomputed, `verdict` one
    of exact, within rounding, explained, not explained; `reason` says by what."""

    row: str
    column: str
    printed: str
    value: int | str
    shown: str
    ratio: float | None
    verdict: str
    reason: str


@dataclass(frozen=True)
class Audit:
    """The verdict of every printed cell, and how many cells each convention fits."""

    title: str
    cells: tuple[Cell, ...]
    fits: tuple[tuple[Rule, int, int], ...]
    notes: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a cell, conventions and cells that none fits in the notes."""
        columns = (
            Column("row"),
            Column("cell"),
            Column("printed"),
            Column("recomputed"),
            Column("exact", "count"),
            Column("printed / recomputed", "", format=".3f"),
            Column("verdict"),
            Column("explanation"),
        )
        rows = tuple(
            {
                "row": c.row,
                "cell": c.column,
                "printed": c.printed,
                "recomputed": c.shown,
                "exact": c.value if isinstance(c.value, int) else None,
                "printed / recomputed": c.ratio,
                "verdict": c.verdict,
                "explanation": c.reason,
            }
            for c in self.cells
        )
        return Sheet(
            self.title,
            columns,
            rows,
            self.notes,
            facts={
                "conventions": [
                    {"kind": r.kind, "convention": str(r), "fits": n, "of": m}
                    for r, n, m in self.fits
                ]
            },
        )


def count_rows(trace: Trace, style: str = "paper") -> list[Counted]:
    """The table's rows with weights, biases and MACs apart."""
    nodes = layer_graph(trace)
    regions = {f.end: f for f in forks(nodes)} if style == "paper" else {}
    found = []
    for row in table(trace, style, "macs", columns=["input size"]).rows:
        ops = [trace.ops[i] for i in row.ops]
        params = {p for op in ops for p in op.params}
        norms = {p for op in ops if "norm" in op.name for p in op.params}
        weights = sum(trace.params[p].numel for p in params if is_weight(trace, p))
        biases = sum(
            trace.params[p].numel for p in params - norms if len(trace.params[p].shape) == 1
        )
        fork = regions.get(max(row.nodes, default=-1))
        channels = each = each_macs = 0
        if fork:
            heads = [
                b.chain[0]
                if b.chain[0].kind == "conv"
                else b.chain[1]
                if len(b.chain) > 1
                else None
                for b in fork.branches
                if b.chain
            ]
            for n in filter(None, heads):
                channels = n.in_shape[1]
                macs = cost_of(trace, n.op).macs
                each += trace.shapes(n.op)[1][0] * _area(n.kernel)
                each_macs += macs // channels
        found.append(
            Counted(
                _label(row.cells),
                row.cells,
                weights,
                biases,
                total(trace, ops).macs,
                channels,
                each,
                each_macs,
                sum(trace.params[p].numel for p in params & norms),
            )
        )
    return found


def _area(kernel):
    area = 1
    for k in kernel:
        area *= k
    return area


def _key(name: str) -> str:
    """A column's name without spelling: #3x3 reduce, n3x3_reduce and "3x3 Reduce" are one."""
    return " ".join(
        re.sub(
            r"[^a-z0-9]+", " ", re.sub(r"(?<![a-z])n(?=\d)", "", name.lower().replace("_", " "))
        ).split()
    )


def _label(cells: dict) -> str:
    """What a row is called: layer name or module path where there is one, otherwise its type."""
    return cells.get("layer name") or cells.get("name") or cells.get("type") or ""


_COLUMNS = {
    "params": ("params", "param", "parameters", "weights"),
    "ops": ("ops", "macs", "mult adds", "multiply adds", "madds", "operations", "flops", "mults"),
}
_UNITS = {"k": "K", "m": "M", "g": "G", "b": "B", "thousand": "K", "million": "M", "billion": "B"}


def _read_row(row: dict) -> dict:
    """A printed row by the names that the audit uses: params and ops under whatever they are called, a unit in the header put to the cells."""
    found = {}
    for header, cell in row.items():
        if not header or header == "notes":
            continue
        key, cell = _key(header), str(cell or "").strip()
        if not key:
            continue
        for name, spellings in _COLUMNS.items():
            rest = next(
                (
                    key[len(s) :].split()
                    for s in sorted(spellings, key=len, reverse=True)
                    if key == s or key.startswith(s + " ")
                ),
                None,
            )
            if rest is not None and all(
                w in _UNITS or w in ("elements", "macs", "params", "of", "in", "number")
                for w in rest
            ):
                unit = next((_UNITS[w] for w in rest if w in _UNITS), "")
                key, cell = name, cell + unit if cell and cell[-1].isdigit() else cell
                break
        found.setdefault(key, cell)
    return found


def _kind(label: str) -> str:
    label = label.lower().rstrip("*")
    label = re.sub(r"^\d+\s*x\s*", "", label)
    for word, kind in (
        ("pool", "pool"),
        ("inception", "fork"),
        ("reduction", "fork"),
        ("fire", "fork"),
        ("fork", "fork"),
        ("conv", "conv"),
        ("linear", "linear"),
        ("fc", "linear"),
        ("fully", "linear"),
        ("softmax", "softmax"),
        ("dropout", "dropout"),
    ):
        if word in label:
            return kind
    return label


def align(printed: list[dict], rows: list[Counted]) -> list[Counted | None]:
    """For each printed row the traced row that it means (None: none), in order, by kind, name, size and patch."""

    def score(p, r):
        label = _label(p)
        if r.label != r.cells.get("type") or label != p.get(
            "type"
        ):  # rows that have names go by them
            return 6 if label == r.label else -1
        if _kind(label) != _kind(r.label):
            return -1
        mine, theirs = (re.search(r"\((\w+)\)", name) for name in (label, r.label))
        if mine and theirs and mine[1] != theirs[1]:  # (9z) is not (5b)
            return -1
        same = lambda key: p.get(key) and p[key] == str(r.cells.get(_NAMES.get(key, key), ""))  # noqa: E731
        return (
            2
            + 3 * (label == r.label)
            + 2 * bool(same("output size"))
            + 2 * bool(same("input size"))
            + bool(same("patch size stride"))
        )

    n, m = len(printed), len(rows)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            s = score(printed[i], rows[j])
            best[i][j] = max(best[i + 1][j], best[i][j + 1], s + best[i + 1][j + 1] if s > 0 else 0)
    found, j = [], 0
    for i in range(n):
        while j < m and best[i][j] == best[i][j + 1] and best[i][j] > best[i + 1][j]:
            j += 1
        s = score(printed[i], rows[j]) if j < m else -1
        if s > 0 and best[i][j] == s + best[i + 1][j + 1]:
            found.append(rows[j])
            j += 1
        else:
            found.append(None)
    return found


_NAMES = {"patch size stride": "patch size/stride"}


def _expand(lines):
    """ "3xInception" is three rows, of which the first has the printed input."""
    for line in lines:
        m = re.match(r"(\d+)\s*x\s*([A-Za-z].*)", line.get("type", ""))
        for i in range(int(m[1]) if m else 1):
            yield (
                line
                if not m
                else {
                    "type": f"{m[2]} {i + 1} of {m[1]}",
                    **({k: v for k, v in line.items() if k != "type"} if i == 0 else {}),
                }
            )


def _shown(value, p: Printed, base: int) -> str:
    letter = {v: k for k, v in POWERS.items() if k != "B"}[p.power]
    scaled = value / base**p.power
    decimals = max(0, p.decimals)
    return (
        f"{scaled:.{decimals + 1 if scaled >= 10 else decimals + 2}f}{letter}"
        if letter
        else f"{value:,}"
    )


def _other_width(row: Counted, cells: dict, rules: dict) -> str:
    """Input channels, in steps of 16 and not far off, under which both printed numbers of a fork fit: one number alone fits some width."""
    if not row.channels or len(cells) < 2:
        return ""
    near = range(
        CHANNEL_STEP * round(row.channels * (1 - WIDTH_OFF) / CHANNEL_STEP),
        round(row.channels * (1 + WIDTH_OFF)) + 1,
        CHANNEL_STEP,
    )
    for c in sorted(near, key=lambda c: abs(c - row.channels)):
        more = c - row.channels
        if not more:
            continue
        other = replace(
            row, weights=row.weights + more * row.weights_each, macs=row.macs + more * row.macs_each
        )
        if all(
            any(
                p.fits(r.value(other), r.base, r.rounding)
                for r in RULES[k]
                if (r.base, r.bias, r.norm, r.factor)
                == (rules[k].base, rules[k].bias, rules[k].norm, rules[k].factor)
            )
            for k, p in cells.items()
        ):
            return f"consistent with {c} input channels instead of {row.channels}"
    return ""


def _verdict(kind, p, row, other, best: Rule, width: str):
    value = best.value(row)
    if p.fits(value, best.base, best.rounding):
        exact = abs(value / best.base**p.power - p.value) < 1e-9
        return value, "exact" if exact else "within rounding", "" if exact else best.rounding
    near = [r for r in RULES[kind] if p.fits(r.value(row), r.base, r.rounding)]
    alike = [
        r
        for r in near
        if (r.base, r.bias, r.norm, r.factor) == (best.base, best.bias, best.norm, best.factor)
    ]
    if alike:
        return value, "within rounding", alike[0].rounding
    for name, reading in other:
        # the plainest rule that fits, those that count as the best convention does before others
        fit = [
            r
            for r in sorted(RULES[kind], key=lambda r: r.base != best.base)
            if p.fits(r.value(reading), r.base, r.rounding, FAR)
        ]
        if fit:
            return value, "explained", f"{name}: {fit[0].value(reading):,} under {fit[0]}"
    if width:
        return value, "explained", width
    if near:
        return value, "explained", f"by another convention than most cells: {near[0]}"
    for r in RULES[kind]:
        if (r.base, r.bias, r.norm, r.factor) == (
            best.base,
            best.bias,
            best.norm,
            best.factor,
        ) and p.fits(value, r.base, r.rounding, FAR):
            return value, "explained", f"{r.rounding} to the few digits that are printed"
    return value, "not explained", "no convention fits"


def audit(printed, trace: Trace, readings=(), title: str = "") -> Audit:
    """Check printed rows against a trace.

    Args:
        printed: dicts by column (type, patch size/stride, output size, depth, #1x1, ..., params, ops), cells as text.
        readings: (name, Trace) of other readings of the same network.

    Raises ValueError for a cell that is no number, or when no printed row has a counterpart in the trace."""
    lines = list(_expand([_read_row(row) for row in printed]))
    # in the style whose rows are the printed ones; the paper style wins a tie
    matched, style = max(
        ((align(lines, count_rows(trace, style)), style) for style in STYLES),
        key=lambda found: sum(map(bool, found[0])),
    )
    if not any(matched):
        raise ValueError(
            "no printed row has a counterpart in the trace: the rows need a type column (convolution, max pool, inception (3a), ...), or the names that costlab table gives"
        )
    others = [(name, align(lines, count_rows(t, style))) for name, t in readings]
    numbers = {k: [Printed.parse(line.get(k, "")) for line in lines] for k in ("params", "ops")}
    fits = []
    for kind in ("params", "ops"):
        pairs = [(p, row) for p, row in zip(numbers[kind], matched) if p and row]
        fits += sorted(
            (
                (
                    rule,
                    sum(p.fits(rule.value(row), rule.base, rule.rounding) for p, row in pairs),
                    len(pairs),
                )
                for rule in RULES[kind]
                if pairs
            ),
            key=lambda f: -f[1],
        )
    best = {kind: next((f[0] for f in fits if f[0].kind == kind), RULES[kind][0]) for kind in RULES}
    cells, structure, equal = [], 0, 0
    for i, (line, row) in enumerate(zip(lines, matched)):
        name = _label(line) or f"row {i + 1}"
        name = (
            f"{name} {line['patch size stride']}".strip()
            if line.get("patch size stride") and _kind(name) in ("conv", "pool")
            else name
        )
        if row is None:
            cells.append(
                Cell(
                    name,
                    "row",
                    name,
                    "",
                    "",
                    None,
                    "not explained",
                    "the trace has no such row here",
                )
            )
            continue
        found, bad = _structure(name, line, row)
        structure += found
        equal += found - len(bad)
        cells += bad
        present = {k: numbers[k][i] for k in numbers if numbers[k][i]}
        width = _other_width(row, present, best) if present else ""
        other = [
            (n, r[i])
            for n, r in others
            if r[i] and (r[i].weights, r[i].macs) != (row.weights, row.macs)
        ]
        for kind, p in present.items():
            value, verdict, reason = _verdict(kind, p, row, other, best[kind], width)
            base = best[kind].base
            cells.append(
                Cell(
                    name,
                    kind,
                    p.text,
                    value,
                    _shown(value, p, base),
                    p.value * base**p.power / value if value else None,
                    verdict,
                    reason,
                )
            )
    if not structure and not any(
        numbers[k][i] for k in numbers for i, r in enumerate(matched) if r
    ):
        raise ValueError(
            "there is nothing to check but names; call the columns params and ops (or MACs, mult-adds), with a unit in the cell or as (M) in the header"
        )
    notes = []
    for kind in ("params", "ops"):
        mine = [f for f in fits if f[0].kind == kind]
        if mine:
            notes.append(f"{kind}: {mine[0][0]} fits most cells, {mine[0][1]} of {mine[0][2]}")
            none = [c.row for c in cells if c.column == kind and c.verdict == "not explained"]
            notes.append(
                f"{kind}: no convention fits {', '.join(none)}"
                if none
                else f"{kind}: every cell is accounted for"
            )
            printed_sum = sum(
                p.value * best[kind].base ** p.power
                for p, r in zip(numbers[kind], matched)
                if p and r
            )
            sums = [("", matched), *others]
            notes.append(
                f"{kind}: the printed column adds up to {printed_sum:,.0f}, the trace's rows to "
                + ", ".join(
                    f"{sum(best[kind].value(r) for p, r in zip(numbers[kind], rs) if p and r):,}{' with ' + n if n else ''}"
                    for n, rs in sums
                )
            )
    if structure:
        notes.append(
            f"structure: {equal} of {structure} printed cells (sizes, depth, filters) equal the trace; the others are listed"
        )
    return Audit(title or trace.provenance["model"], tuple(cells), tuple(fits), tuple(notes))


def _structure(name, line, row: Counted):
    """How many structural cells a printed row has, and those that differ from the trace."""
    mine = {_key(k): str(v) for k, v in row.cells.items() if k not in ("params", "ops", "type")}
    found, bad = 0, []
    for key, text in line.items():
        if (
            key in ("type", "params", "ops", "note", "source", "")
            or not text
            or (key == "patch size stride" and "/" not in text)
            or (key not in mine and not re.search(r"\dx\d|pool proj", key))
        ):
            continue
        found += 1
        have = mine.get(key, "")
        if text == have or text == "0" and not have:
            continue
        reason = ""
        if (
            key == "output size"
            and "x" in text
            and have.rsplit("x", 1)[-1] == text.rsplit("x", 1)[-1]
        ):
            reason = (
                "the printed grid is the input's: the row strides"
                if "stride" in mine.get("patch size stride", "")
                else "another grid"
            )
        elif key == "depth":
            reason = "counted as one layer" if text == "1" else ""
        elif (
            key == "output size" and re.fullmatch(r"[\dx]+", text) and re.fullmatch(r"[\dx]+", have)
        ):
            widths = [
                int(v)
                for k, v in line.items()
                if re.search(r"^(1x1|3x3|5x5|double 3x3|\d+x\d+)$", k) and v.isdigit()
            ]
            reason = (
                f"the printed filters add up to {have.rsplit('x', 1)[-1]} channels"
                if widths
                else ""
            )
        bad.append(
            Cell(
                name,
                key,
                text,
                have,
                have,
                None,
                "explained" if reason else "not explained",
                reason,
            )
        )
    return found, bad


@dataclass(frozen=True)
class _Total:
    weights: int
    biases: int
    macs: int
    norms: int = 0


def audit_totals(model: str, trace: Trace, printed, title: str = "") -> tuple[Cell, ...]:
    """Published totals (params, ops, neurons) against a trace, under readings found by trial: all layers, convolutions alone,
    without the classifier. `printed`: dicts with quantity, printed, where."""
    nodes = layer_graph(trace)

    def sums(chosen):
        ops = [op for n in chosen for op in n.ops]
        t = total(trace, ops)
        return _Total(t.weights, t.params - t.weights, t.macs)

    linear = [n for n in nodes if n.kind == "linear"]
    readings = [
        ("all layers", sums(nodes)),
        ("convolutions alone", sums([n for n in nodes if n.kind != "linear"])),
        (
            "without the classifier",
            sums([n for n in nodes if n is not (linear[-1] if linear else None)]),
        ),
    ]
    neurons = total(trace).activations
    found = []
    for line in printed:
        p, kind = Printed.parse(line["printed"]), line["quantity"]
        if kind == "neurons":
            cut = [
                r
                for r in ROUNDINGS
                if p.fits(
                    round(neurons, -4) if r == "rounded" else floor(neurons / 1e4) * 1e4,
                    1000,
                    "rounded",
                )
            ]
            verdict = (
                ("within rounding", f"{cut[0]} to two digits") if cut else ("not explained", "")
            )
            found.append(
                Cell(
                    "total",
                    kind,
                    p.text,
                    neurons,
                    f"{neurons:,}",
                    p.value * 1000**p.power / neurons,
                    *verdict,
                )
            )
            continue
        rules = [r for r in RULES[kind] if r.base == 1000 or p.power < 3]
        value, verdict, reason = (
            rules[0].value(readings[0][1])
            if kind == "ops"
            else readings[0][1].weights + readings[0][1].biases,
            "not explained",
            "",
        )
        value = readings[0][1].macs if kind == "ops" else value
        for name, reading in readings:
            fit = [
                r
                for r in sorted(rules, key=lambda r: (r.factor, r.base != 1000, not r.bias))
                if p.fits(r.value(reading), r.base, r.rounding, FAR)
            ]
            if fit:
                plain = (
                    name == "all layers"
                    and fit[0].base == 1000
                    and fit[0].factor == 1
                    and p.fits(fit[0].value(reading), 1000, fit[0].rounding)
                )
                verdict, reason = (
                    ("within rounding", fit[0].rounding)
                    if plain
                    else ("explained", f"{name}: {fit[0].value(reading):,} under {fit[0]}")
                )
                break
        found.append(
            Cell(
                "total",
                kind,
                p.text,
                value,
                _shown(value, p, 1000),
                p.value * 1000**p.power / value,
                verdict,
                f"{reason + '; ' if reason else ''}{line['where']}",
            )
        )
    return tuple(found)


# networks of reference.LAYER_TABLES that are audited -> other readings: a zoo name and what it is
PUBLISHED = {
    "googlenet": (("googlenet_separable", "a separable 7x7 stem of depth multiplier 8"),),
    "bn_inception": (),
    "inception_v2": (),
}


def published_models() -> tuple[str, ...]:
    """Models that have published figures in the reference data."""
    return tuple(
        dict.fromkeys([*PUBLISHED, *(r["model"] for r in reference.load("printed_totals"))])
    )


def audit_published(trace: Trace, find) -> Audit:
    """A model's published table and totals against its trace. `find(name)` traces another reading of the network.

    Raises ValueError for a model without published figures."""
    name = trace.provenance["model"]
    totals = [r for r in reference.load("printed_totals") if r["model"] == name]
    shape, said = "x".join(map(str, zoo.input_shape(name))) if name in zoo.names() else "", ()
    elsewhere = shape and trace.provenance["inputs"] and trace.provenance["inputs"][0][0] != shape
    if elsewhere:  # then ops and grids are not the printed ones
        totals = [r for r in totals if r["quantity"] == "params"]
        said = (
            f"ops and sizes are printed for an input of {shape} and not compared with those of {trace.provenance['inputs'][0][0]}",
        )
    if name in PUBLISHED:
        readings = PUBLISHED[name]
        rows = reference.load(reference.LAYER_TABLES[name])
        if elsewhere:
            rows = [
                {
                    k: v
                    for k, v in r.items()
                    if k != "ops" and k.replace("_", " ") not in ("output size", "input size")
                }
                for r in rows
            ]
        result = audit(
            rows,
            trace,
            [(words, find(other)) for other, words in readings],
            f"{name} against {rows[0]['source']}",
        )
    elif totals or elsewhere and name in published_models():
        result = Audit(f"{name} against published totals", (), (), ())
    else:
        raise ValueError(
            f"no published figures for {name}; there are some for {', '.join(published_models())}, or give your own with --against FILE.csv"
        )
    return replace(
        result, cells=result.cells + audit_totals(name, trace, totals), notes=(*said, *result.notes)
    )

"""The rules of factorization at one setting of widths, every number from tracing both modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..._pictures import Chart, chart
from ..._result import Charted, Drawn
from ...cost import total
from ...graph import layer_graph
from ...predict import ChosenProfile, Saving, predicted, prediction_of
from ...tables import Column, Sheet, saving_cells, saving_columns
from ...trace import Trace
from ...trace.build import traced
from . import notes
from .rewrites import REWRITES, Conv, Curve, build, curve, require_known

# kernel, rewrite, what it is called
RULES = (
    (5, "stacked-3x3", "5x5 -> 3x3 + 3x3"),
    (7, "stacked-3x3", "7x7 -> three 3x3"),
    *((n, "1xn-nx1", f"{n}x{n} -> 1x{n} + {n}x1") for n in (3, 5, 7, 9, 11, 13, 15)),
    (3, "depthwise-separable", "3x3 -> depthwise 3x3 + 1x1"),
    (5, "depthwise-separable", "5x5 -> depthwise 5x5 + 1x1"),
    (3, "bottleneck", "3x3 -> 1x1 + 3x3 + 1x1"),
)


@dataclass(frozen=True)
class Rule:
    """One rule; pairs are before and after. `params` in elements, `macs` multiply-adds, `field`
    the receptive field in pixels, `out` the outputs' shapes without batch."""

    name: str
    rewrite: str
    params: tuple[int, int]
    macs: tuple[int, int]
    params_with_bias: tuple[int, int]
    field: tuple[int, int]
    out: tuple[tuple[int, ...], tuple[int, ...]]
    traces: tuple[Trace, Trace]

    @property
    def saving(self) -> float:
        """Share of the MACs that the rewrite saves; negative where it costs more."""
        return 1 - self.macs[1] / self.macs[0]

    @property
    def time(self) -> Saving | None:
        """Predicted; None without a profile."""
        before, after = map(prediction_of, self.traces)
        return Saving(before.total, after.total) if before and after else None

    @property
    def params_saving(self) -> float:
        """Share of the params."""
        return 1 - self.params[1] / self.params[0]


@dataclass(frozen=True)
class RuleTable(Charted, Drawn):
    """The rules at one setting of widths, grid and padding."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...]

    chart_kind = "savings"
    drawn_a_row = 2

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """Each rule, before and after."""
        words = ("before", "after")
        return [
            (f"{r.name}: {word}", trace)
            for r in self.rules
            for word, trace in zip(words, r.traces, strict=True)
        ]

    def chart(self, kernel: int = 5) -> Chart:
        """What each rule saves, and from which middle width on a kernel's rewrite does."""
        break_even = curve(*_widths(self.rules[0].traces[0]), kernel)
        numbers = savings_sheet(self, break_even)
        return chart(self.chart_kind, self, break_even, numbers=numbers)

    @property
    def sheet(self) -> Sheet:
        """A row a rule."""
        trained = self.rules[0].traces[0].trained
        prediction = prediction_of(self.rules[0].traces[0])
        columns = (
            *_COLUMNS,
            *(_BACKWARD if trained else ()),
            *(saving_columns(prediction) if prediction else ()),
        )
        rows = tuple(_cells(r) for r in self.rules)
        return Sheet("factorized convolutions", columns, rows, self.notes)


_COLUMNS = (
    Column("rule"),
    Column("params before", "params"),
    Column("params after", "params"),
    Column("params saved", "%", format=".1%"),
    Column("saved with bias", "%", format=".2%"),
    Column("MACs before", "MACs"),
    Column("MACs after", "MACs"),
    Column("MACs saved", "%", format=".1%"),
    Column("receptive field"),
    Column("same output"),
)
_BACKWARD = (Column("backward before", "MACs"), Column("backward after", "MACs"))


def _cells(r: Rule) -> dict[str, Any]:
    before, after = r.traces
    backward = {
        "backward before": total(before, before.backward).macs,
        "backward after": total(after, after.backward).macs,
    }
    return {
        "rule": r.name,
        "params before": r.params[0],
        "params after": r.params[1],
        "params saved": r.params_saving,
        "saved with bias": 1 - r.params_with_bias[1] / r.params_with_bias[0],
        "MACs before": r.macs[0],
        "MACs after": r.macs[1],
        "MACs saved": r.saving,
        "receptive field": notes.field(*r.field),
        "same output": notes.same_output(*r.out),
        **(backward if before.trained else {}),
        **(saving_cells(r.time) if r.time else {}),
    }


def savings_sheet(table: RuleTable, curve: Curve) -> Sheet:
    """The numbers of the savings chart: a row a rule, then a row a middle width of the break-even
    curve."""
    sheet, name = table.sheet, f"{curve.kernel}x{curve.kernel} as stacked 3x3"
    points = tuple(
        {"rule": name, "middle width": mid, "MACs after / before": ratio}
        for mid, ratio in zip(curve.mids, curve.ratios, strict=True)
    )
    more = (
        Column("middle width", "channels"),
        Column("MACs after / before", "x", format=".4f"),
    )
    return Sheet(
        sheet.title,
        (*sheet.columns, *more),
        (*sheet.rows, *points),
        (*sheet.notes, notes.curve(name, curve)),
    )


def slug(name: str) -> tuple[str, str]:
    """File names of the two sides of a rule: "5x5 -> 3x3 + 3x3" gives 5x5 and 5x5-as-3x3-3x3; of
    anything else the words alone."""
    before, _, after = name.partition(" -> ")
    return _words(before), f"{_words(before)}-as-{_words(after)}" if after else _words(before)


def rules(
    c_in: int = 64,
    c_out: int = 64,
    c_mid: int | None = None,
    grid: int = 28,
    padding: str = "same",
    *,
    kernels: Sequence[int] | None = None,
    rewrites: Sequence[str] | None = None,
    train: bool = False,
    profile: ChosenProfile | None = None,
) -> RuleTable:
    """The rule table, every number from tracing both modules.

    `padding`: "same" or "valid"; `c_mid` None: as each rule's default (c_out; a quarter of it in
    the bottleneck). `kernels`: these sizes, any from 2; `rewrites`: only these. `train`: the
    backward passes too. `profile`: of the device whose times are predicted. Raises ValueError for
    widths or a grid that cannot be built."""
    _require_buildable((c_in, c_out, grid, c_mid), padding, kernels, rewrites)
    fitting = _fitting(c_in, c_out, grid, padding, kernels, rewrites)
    setting = Setting(c_in, c_out, c_mid, grid, padding == "same", train, profile)
    found = tuple(setting.rule(*wanted) for wanted in fitting)
    said = (*notes.setting(setting, padding, found), *notes.times_of_rules(found))
    return RuleTable(found, said)


@dataclass(frozen=True)
class Setting:
    """Widths (`c_mid` None: each rule's default), grid and padding of a rule table."""

    c_in: int
    c_out: int
    c_mid: int | None
    grid: int
    padded: bool
    train: bool
    profile: ChosenProfile | None

    def rule(self, kernel: int, rewrite: str, name: str) -> Rule:
        """One rule, both forms traced, without and with biases."""
        before, after = self._forms(kernel, rewrite, bias=False)
        with_bias = self._forms(kernel, rewrite, bias=True)
        return Rule(
            name,
            rewrite,
            (total(before).params, total(after).params),
            (total(before).macs, total(after).macs),
            (total(with_bias[0]).params, total(with_bias[1]).params),
            (_field(before), _field(after)),
            (_output(before), _output(after)),
            (before, after),
        )

    def _forms(self, kernel: int, rewrite: str, *, bias: bool) -> tuple[Trace, Trace]:
        pad = kernel // 2 if self.padded else 0
        conv = Conv(self.c_in, self.c_out, (kernel, kernel), padding=(pad, pad), bias=bias)
        mid = self.c_mid or REWRITES[rewrite].default_mid(conv)
        return self._trace(conv.build), self._trace(lambda: build(conv, rewrite, mid))

    def _trace(self, make: Callable[[], nn.Module]) -> Trace:
        trace = traced(make, (1, self.c_in, self.grid, self.grid), backward=self.train)
        return predicted(trace, self.profile)


def _field(trace: Trace) -> int:
    return max(layer_graph(trace)[-1].field or (0,))


def _output(trace: Trace) -> tuple[int, ...]:
    return trace.tensors[trace.outputs[0]].shape[1:]


def _widths(trace: Trace) -> tuple[int, int]:
    """Channels of the input and of the output."""
    given, out = (trace.tensors[i].shape[1] for i in (trace.inputs[0], trace.outputs[0]))
    return given, out


def _words(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def _require_buildable(
    sizes: Sequence[int | None],
    padding: str,
    kernels: Sequence[int] | None,
    rewrites: Sequence[str] | None,
) -> None:
    """Raise ValueError for what no module can be built of."""
    require_known(rewrites)
    if padding not in ("same", "valid"):
        raise ValueError(f"unknown padding {padding!r}; choose same or valid")
    if min(size for size in sizes if size is not None) < 1:
        raise ValueError("widths and grid must be integers of at least 1")
    if padding == "same" and any(k % 2 == 0 for k in kernels or ()):
        raise ValueError("an even kernel has no same padding; use --padding valid")
    if kernels and min(kernels) < 2:
        raise ValueError(f"kernel {min(kernels)}: there is nothing to factorize below 2")


def _fitting(
    c_in: int,
    c_out: int,
    grid: int,
    padding: str,
    kernels: Sequence[int] | None,
    rewrites: Sequence[str] | None,
) -> list[tuple[int, str, str]]:
    """The rules that are asked for and fit the grid. Raises ValueError when there are none."""
    wanted = _of_kernels(c_in, c_out, kernels) if kernels else RULES
    wanted = [w for w in wanted if not rewrites or w[1] in rewrites]
    if not wanted:
        raise ValueError(
            "no rewrite applies to these kernels at these widths; stacked-3x3 takes odd kernels "
            "from 5, 1xn-nx1 any kernel from 2"
        )
    fitting = [w for w in wanted if padding == "same" or w[0] <= grid]
    if not fitting:
        raise ValueError(
            f"no kernel fits a {grid}x{grid} grid without padding; use a larger grid or "
            "--padding same"
        )
    return fitting


def _of_kernels(c_in: int, c_out: int, kernels: Sequence[int]) -> list[tuple[int, str, str]]:
    return [
        (k, name, notes.rule_name(k, name, RULES))
        for k in dict.fromkeys(kernels)
        for name, rewrite in REWRITES.items()
        if rewrite.eligible(Conv(c_in, c_out, (k, k)))
    ]

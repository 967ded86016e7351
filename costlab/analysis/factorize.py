"""Factorized convolutions: the rules by tracing real modules, the break-even width, and rewrites of a model for real.

*Rethinking the Inception Architecture*, Section 3: a k x k convolution as stacked 3x3, or as 1xn and nx1; with them the
depthwise-separable and the bottleneck form. Nothing is assumed of widths: c_in, c_mid and c_out are free.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from .._pictures import Picture, before_and_after, chart
from .._result import Charted, Drawn
from .._result import Result
from ..cost import total, training
from ..graph import layer_graph
from ..tables import Column, Sheet, measured_note
from ..trace import Timing, Trace
from ..trace.build import build_on_meta, traced
from ..trace.tracer import trace as run
from .roofline import against


@dataclass(frozen=True)
class Conv:
    """A convolution's geometry: channels, kernel (h, w), stride, padding in elements, with a bias or not."""

    c_in: int
    c_out: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    bias: bool = False

    def build(self) -> nn.Conv2d:
        """The module."""
        return nn.Conv2d(
            self.c_in, self.c_out, self.kernel, self.stride, self.padding, bias=self.bias
        )


@dataclass(frozen=True)
class Rewrite:
    """`eligible(conv)` and `layers(conv, mid)`: the convolutions, as (Conv, groups), that replace it."""

    name: str
    words: str
    eligible: Callable[[Conv], bool]
    layers: Callable[[Conv, int], list[tuple[Conv, int]]]
    default_mid: Callable[[Conv], int]


def _stack(conv, mid):
    """k x k as (k - 1) / 2 3x3; the padding is shared out from the front, the stride is the last one's, so that the receptive
    field stays k."""
    n = (conv.kernel[0] - 1) // 2
    widths = [conv.c_in, *[mid] * (n - 1), conv.c_out]
    found = []
    for i in range(n):
        pad = tuple(1 if i < p else 0 for p in conv.padding)
        found.append(
            (
                Conv(
                    widths[i],
                    widths[i + 1],
                    (3, 3),
                    conv.stride if i == n - 1 else (1, 1),
                    pad,
                    conv.bias,
                ),
                1,
            )
        )
    return found


def _pair(conv, mid):
    (h, w), (sh, sw), (ph, pw) = conv.kernel, conv.stride, conv.padding
    return [
        (Conv(conv.c_in, mid, (1, w), (1, sw), (0, pw), conv.bias), 1),
        (Conv(mid, conv.c_out, (h, 1), (sh, 1), (ph, 0), conv.bias), 1),
    ]


def _separable(conv, mid):
    return [
        (Conv(conv.c_in, conv.c_in, conv.kernel, conv.stride, conv.padding, False), conv.c_in),
        (Conv(conv.c_in, conv.c_out, (1, 1), bias=conv.bias), 1),
    ]


def _bottleneck(conv, mid):
    return [
        (Conv(conv.c_in, mid, (1, 1), bias=conv.bias), 1),
        (Conv(mid, mid, conv.kernel, conv.stride, conv.padding, conv.bias), 1),
        (Conv(mid, conv.c_out, (1, 1), bias=conv.bias), 1),
    ]


def _square(conv):
    return conv.kernel[0] == conv.kernel[1]


_OUT = lambda conv: conv.c_out  # noqa: E731
REWRITES = {
    r.name: r
    for r in (
        Rewrite(
            "stacked-3x3",
            "k x k as (k - 1) / 2 convolutions 3x3",
            lambda c: (
                _square(c)
                and c.kernel[0] >= 5
                and c.kernel[0] % 2 == 1
                and max(c.padding) <= c.kernel[0] // 2
            ),
            _stack,
            _OUT,
        ),
        Rewrite(
            "1xn-nx1",
            "k x k as 1 x k and k x 1",
            lambda c: _square(c) and c.kernel[0] >= 2,
            _pair,
            _OUT,
        ),
        Rewrite(
            "depthwise-separable",
            "k x k a channel, then 1x1",
            lambda c: max(c.kernel) >= 2 and c.c_in > 1,
            _separable,
            lambda c: c.c_in,
        ),
        Rewrite(
            "bottleneck",
            "1x1 to a quarter, k x k, 1x1",
            lambda c: max(c.kernel) >= 2 and c.c_out >= 8,
            _bottleneck,
            lambda c: max(1, c.c_out // 4),
        ),
    )
}


def build(conv: Conv, rewrite: str, mid: int) -> nn.Sequential:
    """The module that replaces `conv`: its convolutions with a ReLU between (Rethinking, Section 3.1)."""
    layers = []
    for c, groups in REWRITES[rewrite].layers(conv, mid):
        layers += [
            nn.Conv2d(c.c_in, c.c_out, c.kernel, c.stride, c.padding, groups=groups, bias=c.bias),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers[:-1])


def predict(conv: Conv, rewrite: str | None, mid: int, grid: tuple[int, int]) -> tuple[int, int]:
    """(params, MACs) of the convolution, or of its rewrite, on an h x w grid, by arithmetic."""
    params = macs = 0
    for c, groups in REWRITES[rewrite].layers(conv, mid) if rewrite else [(conv, 1)]:
        grid = tuple(
            (g + 2 * p - k) // s + 1 for g, p, k, s in zip(grid, c.padding, c.kernel, c.stride)
        )
        weights = c.c_in // groups * c.c_out * c.kernel[0] * c.kernel[1]
        params += weights + (c.c_out if c.bias else 0)
        macs += weights * grid[0] * grid[1]
    return params, macs


def break_even(c_in: int, c_out: int, k: int = 5) -> float:
    """The middle width at which stacked 3x3 cost as much as k x k; below it they save. For k = 5 it is
    25 c_in c_out / (9 (c_in + c_out)); for more layers the root of 9 ((n - 2) m^2 + (c_in + c_out) m) = k^2 c_in c_out.

    Raises ValueError for a kernel that is not odd and at least 5."""
    if k < 5 or k % 2 == 0:
        raise ValueError(
            f"a {k}x{k} convolution is no stack of 3x3; the kernel is odd and at least 5"
        )
    n, b, c = (k - 1) // 2, c_in + c_out, k * k * c_in * c_out / 9
    return c / b if n == 2 else (-b + math.sqrt(b * b + 4 * (n - 2) * c)) / (2 * (n - 2))


@dataclass(frozen=True)
class Curve:
    """MACs of stacked 3x3 over those of k x k, by middle width; `even` is the break-even width."""

    c_in: int
    c_out: int
    kernel: int
    mids: tuple[int, ...]
    ratios: tuple[float, ...]
    even: float


def curve(c_in: int, c_out: int, k: int = 5) -> Curve:
    """The break-even curve from one channel to twice the wider side."""
    conv = Conv(c_in, c_out, (k, k), padding=(k // 2, k // 2))
    whole = predict(conv, None, 0, (28, 28))[1]
    mids = tuple(range(1, 2 * max(c_in, c_out) + 1))
    return Curve(
        c_in,
        c_out,
        k,
        mids,
        tuple(predict(conv, "stacked-3x3", m, (28, 28))[1] / whole for m in mids),
        break_even(c_in, c_out, k),
    )


@dataclass(frozen=True)
class Rule:
    """One rule, measured by tracing both forms: params in elements, `macs` multiply-adds, `field` receptive field in pixels."""

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
    def params_saving(self) -> float:
        """Share of the params."""
        return 1 - self.params[1] / self.params[0]


def _widths(trace: Trace) -> tuple[int, int]:
    """Channels of the input and of the output."""
    return tuple(trace.tensors[i].shape[1] for i in (trace.inputs[0], trace.outputs[0]))


@dataclass(frozen=True)
class RuleTable(Charted, Drawn):
    """The rules at one setting of widths, grid and padding."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...]

    chart_kind = "savings"

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """Each rule, before and after."""
        words = ("before", "after")
        return [
            (f"{r.name}: {word}", trace)
            for r in self.rules
            for word, trace in zip(words, r.traces, strict=True)
        ]

    def chart(self, kernel: int = 5) -> Picture:
        """What each rule saves, and from which middle width on a kernel's rewrite does."""
        first = self.rules[0].traces[0]
        return chart(self.chart_kind, self, curve(*_widths(first), kernel))

    @property
    def sheet(self) -> Sheet:
        """A row a rule."""
        columns = (
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
            *(
                (Column("backward before", "MACs"), Column("backward after", "MACs"))
                if self.rules[0].traces[0].trained
                else ()
            ),
        )
        rows = tuple(
            {
                "rule": r.name,
                "params before": r.params[0],
                "params after": r.params[1],
                "params saved": r.params_saving,
                "saved with bias": 1 - r.params_with_bias[1] / r.params_with_bias[0],
                "MACs before": r.macs[0],
                "MACs after": r.macs[1],
                "MACs saved": r.saving,
                "receptive field": f"{r.field[0]} = {r.field[1]}"
                if r.field[0] == r.field[1]
                else f"{r.field[0]}, then {r.field[1]}",
                "same output": "yes"
                if r.out[0] == r.out[1]
                else f"{_x(r.out[0])}, then {_x(r.out[1])}",
                **dict(
                    zip(
                        ("backward before", "backward after"),
                        (total(t, t.backward).macs for t in r.traces),
                    )
                ),
            }
            for r in self.rules
        )
        return Sheet("factorized convolutions", columns, rows, self.notes)


def savings_sheet(table: RuleTable, curve: Curve) -> Sheet:
    """The numbers of the savings chart: a row a rule, then a row a middle width of the break-even curve."""
    sheet, name = table.sheet, f"{curve.kernel}x{curve.kernel} as stacked 3x3"
    points = tuple(
        {"rule": name, "middle width": mid, "MACs after / before": ratio}
        for mid, ratio in zip(curve.mids, curve.ratios)
    )
    note = f"{name}, {curve.c_in} to {curve.c_out} channels: break-even at middle width {curve.even:.2f}"
    return Sheet(
        sheet.title,
        (
            *sheet.columns,
            Column("middle width", "channels"),
            Column("MACs after / before", "x", format=".4f"),
        ),
        (*sheet.rows, *points),
        (*sheet.notes, note),
    )


def _x(shape):
    return "x".join(map(str, shape))


def _measure(make, shape, train):
    trace = traced(make, shape, backward=train)
    end = layer_graph(trace)[-1]
    return total(trace), max(end.field), trace.tensors[trace.outputs[0]].shape[1:], trace


RULES = (
    (5, "stacked-3x3", "5x5 -> 3x3 + 3x3"),
    (7, "stacked-3x3", "7x7 -> three 3x3"),
    *((n, "1xn-nx1", f"{n}x{n} -> 1x{n} + {n}x1") for n in (3, 5, 7, 9, 11, 13, 15)),
    (3, "depthwise-separable", "3x3 -> depthwise 3x3 + 1x1"),
    (5, "depthwise-separable", "5x5 -> depthwise 5x5 + 1x1"),
    (3, "bottleneck", "3x3 -> 1x1 + 3x3 + 1x1"),
)


_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}


def _named(k: int, rewrite: str) -> str:
    """What a rule is called: 9x9 -> four 3x3."""
    known = next((name for n, r, name in RULES if (n, r) == (k, rewrite)), None)
    n = (k - 1) // 2
    after = {
        "stacked-3x3": f"{_COUNTS.get(n, n)} 3x3",
        "1xn-nx1": f"1x{k} + {k}x1",
        "depthwise-separable": f"depthwise {k}x{k} + 1x1",
        "bottleneck": f"1x1 + {k}x{k} + 1x1",
    }[rewrite]
    return known or f"{k}x{k} -> {after}"


def slug(name: str) -> tuple[str, str]:
    """File names of the two sides of a rule: "5x5 -> 3x3 + 3x3" gives 5x5 and 5x5-as-3x3-3x3; of anything else the words alone."""
    before, _, after = name.partition(" -> ")
    words = lambda text: "-".join(re.findall(r"[a-z0-9]+", text.lower()))  # noqa: E731
    return words(before), f"{words(before)}-as-{words(after)}" if after else words(before)


def rules(
    c_in: int = 64,
    c_out: int = 64,
    c_mid: int | None = None,
    grid: int = 28,
    padding: str = "same",
    kernels=None,
    rewrites=None,
    train: bool = False,
) -> RuleTable:
    """The rule table, every number from tracing both modules. `padding`: "same" or "valid"; `c_mid` None: as each rule's
    default (c_out; a quarter of it in the bottleneck). `kernels`: these sizes, any from 2; `rewrites`: only these.
    `train`: the backward passes too.

    Raises ValueError for widths or a grid that cannot be built."""
    _known(rewrites)
    if padding not in ("same", "valid"):
        raise ValueError(f"unknown padding {padding!r}; choose same or valid")
    if min(c_in, c_out, grid, 1 if c_mid is None else c_mid) < 1:
        raise ValueError("widths and grid are whole numbers from 1")
    if padding == "same" and any(k % 2 == 0 for k in kernels or ()):
        raise ValueError("an even kernel has no same padding; take --padding valid")
    if kernels and min(kernels) < 2:
        raise ValueError(f"kernel {min(kernels)}: there is nothing to factorize below 2")
    wanted = (
        [
            (k, r, _named(k, r))
            for k in dict.fromkeys(kernels)
            for r in REWRITES
            if REWRITES[r].eligible(Conv(c_in, c_out, (k, k)))
        ]
        if kernels
        else RULES
    )
    wanted = [w for w in wanted if not rewrites or w[1] in rewrites]
    fitting = [w for w in wanted if padding == "same" or w[0] <= grid]
    if wanted and not fitting:
        raise ValueError(
            f"no kernel fits a {grid}x{grid} grid without padding; take a larger grid or --padding same"
        )
    found = []
    for k, rewrite, name in fitting:
        pad = k // 2 if padding == "same" else 0
        measured = {}
        for bias in (False, True):
            conv = Conv(c_in, c_out, (k, k), padding=(pad, pad), bias=bias)
            mid = c_mid or REWRITES[rewrite].default_mid(conv)
            measured[bias] = [
                _measure(make, (1, c_in, grid, grid), train)
                for make in (conv.build, lambda: build(conv, rewrite, mid))
            ]  # noqa: B023
        (a, fa, oa, ta), (b, fb, ob, tb) = measured[False]
        found.append(
            Rule(
                name,
                rewrite,
                (a.params, b.params),
                (a.macs, b.macs),
                tuple(m[0].params for m in measured[True]),
                (fa, fb),
                (oa, ob),
                (ta, tb),
            )
        )
    if not found:
        raise ValueError(
            "no such kernel can be rewritten so at these widths; stacked-3x3 takes odd ones from 5, 1xn-nx1 any from 2"
        )
    widths = f"c_in {c_in}, c_mid {c_mid or 'c_out (bottleneck: a quarter)'}, c_out {c_out}"
    notes = [
        f"{widths}, {grid}x{grid} grid, {padding} padding, stride 1; counts by tracing both modules; one MAC = one multiply-add"
    ]
    for k in sorted({r.field[0] for r in found if r.rewrite == "stacked-3x3"}):
        notes.append(
            f"{k}x{k} as stacked 3x3 saves while c_mid is below {break_even(c_in, c_out, k):.2f} (break-even for these widths)"
        )
    return RuleTable(tuple(found), tuple(notes))


@dataclass(frozen=True)
class Candidate:
    """A convolution of a model and one rewrite: `params` (elements) and `macs` (multiply-adds), before and after."""

    path: str
    rewrite: str
    conv: Conv
    mid: int
    calls: int
    params: tuple[int, int]
    macs: tuple[int, int]

    @property
    def saved(self) -> int:
        """MACs saved; negative where the rewrite costs more."""
        return self.macs[0] - self.macs[1]


def _known(rewrites):
    for name in rewrites or ():
        if name not in REWRITES:
            raise ValueError(f"unknown rewrite {name!r}; choose {', '.join(REWRITES)}")


def _mid(conv, rewrite, policy):
    if policy == "default":
        return REWRITES[rewrite].default_mid(conv)
    if policy in ("in", "out", "sqrt"):
        return {
            "in": conv.c_in,
            "out": conv.c_out,
            "sqrt": max(1, round(math.sqrt(conv.c_in * conv.c_out))),
        }[policy]
    if isinstance(policy, int) and policy > 0:
        return policy
    raise ValueError(
        f"unknown middle width {policy!r}; choose in, out, sqrt, default or a number from 1"
    )


def candidates(trace: Trace, rewrites=None, mid="default") -> list[Candidate]:
    """Every convolution that ran in `trace` (2-d, undilated, ungrouped, with its own weight) with each eligible rewrite, the largest
    saving first. Raises ValueError for an unknown rewrite or middle width."""
    _known(rewrites)
    runs: dict[tuple, list] = {}
    for op in trace.forward:
        if (
            op.name != "aten.convolution"
            or not op.params
            or op.attrs.get("transposed")
            or op.attrs.get("groups") != 1
        ):
            continue
        data, weight = trace.shapes(op)[:2]
        pair = lambda key: tuple(op.attrs[key]) * (2 // len(op.attrs[key]))  # noqa: B023,E731
        if len(weight) == 4 and pair("dilation") == (1, 1):
            conv = Conv(
                weight[1],
                weight[0],
                weight[2:],
                pair("stride"),
                pair("padding"),
                len(op.params) > 1,
            )
            runs.setdefault((op.module, conv), []).append(data)
    found = []
    for (path, conv), shapes in runs.items():
        for name, rewrite in REWRITES.items():
            if rewrites and name not in rewrites or not rewrite.eligible(conv):
                continue
            width = _mid(conv, name, mid)
            before, after = ([predict(conv, r, width, s[2:]) for s in shapes] for r in (None, name))
            macs = tuple(sum(s[0] * v[1] for s, v in zip(shapes, side)) for side in (before, after))
            found.append(
                Candidate(path, name, conv, width, len(shapes), (before[0][0], after[0][0]), macs)
            )
    return sorted(found, key=lambda c: (-c.saved, c.path, c.rewrite))


def obstacle(model: nn.Module, trace: Trace, c: Candidate) -> str:
    """Why a candidate's convolution cannot be replaced in `model`; "" where it can."""
    try:
        module = model.get_submodule(c.path)
    except AttributeError:
        return "it is no module"
    if type(module) is not nn.Conv2d:
        return f"it is a {type(module).__name__}, not an nn.Conv2d"
    if module._forward_hooks or module._forward_pre_hooks or "weight" not in module._parameters:
        return "it has hooks or a norm of its weight, which would be lost"
    if module.padding_mode != "zeros":
        return f"its padding is {module.padding_mode}"
    if isinstance(module.padding, str) and any(k % 2 == 0 for k in c.conv.kernel):
        return "it pads its sides unevenly"
    owners = {id(m) for m in model.modules() for p in m._parameters.values() if p is module.weight}
    if len(owners) > 1:
        return "its weight is tied to another module's"
    mine = {
        i
        for op in trace.forward
        if op.name == "aten.convolution" and op.module == c.path
        for i in op.params
    }
    if any(
        mine.intersection(op.params) and (op.name, op.module) != ("aten.convolution", c.path)
        for op in trace.forward
    ):
        return "its weight is read elsewhere"
    return ""


def replaceable(model: nn.Module, trace: Trace, found) -> tuple[list[Candidate], dict[str, str]]:
    """The candidates that can be applied to `model`, and the reasons of the other convolutions by path."""
    why = {c.path: obstacle(model, trace, c) for c in found}
    return [c for c in found if not why[c.path]], {p: w for p, w in why.items() if w}


def apply(model: nn.Module, chosen) -> nn.Module:
    """A copy of `model` with each candidate's convolution replaced, on the same device. Raises ValueError when two candidates
    name one convolution."""
    paths = [c.path for c in chosen]
    twice = next((p for p in paths if paths.count(p) > 1), None)
    if twice:
        raise ValueError(f"{twice} is to be rewritten twice; choose one rewrite")
    try:
        new = copy.deepcopy(model)
    except Exception as e:  # as of tensors that are the result of a computation
        raise ValueError(
            f"the model cannot be copied: {type(e).__name__}: {(str(e).splitlines() or [''])[0]}"
        ) from None
    for c in chosen:
        old = new.get_submodule(c.path)
        if not isinstance(old, nn.Conv2d) or old.padding_mode != "zeros":
            raise ValueError(
                f"{c.path or 'the model'} is no zero-padded nn.Conv2d module, so it cannot be replaced"
            )
        made = build_on_meta(lambda: build(c.conv, c.rewrite, c.mid)).to(old.weight.dtype)  # noqa: B023
        if old.weight.device.type != "meta":
            made = build(c.conv, c.rewrite, c.mid).to(old.weight.device, old.weight.dtype)
        made.train(old.training)
        if c.path == "":
            return made
        for parent in list(new.modules()):  # under every name that it has
            for name, child in parent._modules.items():
                if child is old:
                    parent._modules[name] = made
    return new


@dataclass(frozen=True)
class Factorization(Result):
    """Before and after a set of rewrites, traced both times, beside the prediction; `ratio`: how many times as long it takes, both run in turns
    (None: not measured)."""

    model: str
    chosen: tuple[Candidate, ...]
    params: tuple[int, int]
    macs: tuple[int, int]
    predicted_params: int
    predicted_macs: int
    fields: tuple[tuple[str, int, int], ...]
    outputs: tuple
    traces: tuple[Trace, Trace]
    ratio: Timing | None = None

    def diagram(self) -> Picture:
        """The rewritten convolutions, before and after. Needs the diagrams extra."""
        from .diagram import rewritten

        return before_and_after(*rewritten(self.traces, [c.path for c in self.chosen]))

    @property
    def agrees(self) -> bool:
        """Whether the second trace is exactly what was predicted, with the same output shapes and receptive fields."""
        return (
            (self.params[1], self.macs[1]) == (self.predicted_params, self.predicted_macs)
            and self.outputs[0] == self.outputs[1]
            and all(a == b for _, a, b in self.fields)
        )

    @property
    def sheet(self) -> Sheet:
        """A row a rewrite, then the whole."""
        rows = [
            {
                "convolution": c.path,
                "rewrite": c.rewrite,
                "shape": f"{_x(c.conv.kernel)}, {c.conv.c_in} -> {c.conv.c_out}, middle {c.mid}",
                "params before": c.params[0],
                "params after": c.params[1],
                "MACs before": c.macs[0],
                "MACs after": c.macs[1],
                "MACs saved": c.saved / c.macs[0],
            }
            for c in self.chosen
        ]
        end = {
            "params before": self.params[0],
            "params after": self.params[1],
            "MACs before": self.macs[0],
            "MACs after": self.macs[1],
            "MACs saved": 1 - self.macs[1] / self.macs[0],
        }
        verdict = "equal the prediction exactly" if self.agrees else "DIFFER from the prediction"
        fields = all(a == b for _, a, b in self.fields)
        notes = (
            f"the rewritten model was traced again: its params and MACs {verdict}",
            f"output shapes {'unchanged' if self.outputs[0] == self.outputs[1] else 'CHANGED'}; receptive fields {'unchanged' if fields else 'CHANGED'}",
            "a ReLU stands between the new convolutions; one MAC = one multiply-add; params with biases and norm scales",
        )
        if self.traces[0].trained:
            notes += tuple(
                f"{word}, {training(t).note}" for word, t in zip(("before", "after"), self.traces)
            )
        said = (
            against(*self.traces)
            if self.ratio is None
            else _in_turns(self.ratio, 1 - self.macs[1] / self.macs[0])
        )
        notes += (f"{said}; {measured_note(self.traces[1].measured)}",) if said else ()
        return Sheet(
            f"{self.model}: {len(rows)} convolution{'s' * (len(rows) != 1)} rewritten",
            _COLUMNS,
            tuple(rows),
            notes,
            end,
        )


def _in_turns(ratio, fewer: float) -> str:
    """What a paired measurement says of the time."""
    interval = f"95% interval {ratio.low:.3f} to {ratio.high:.3f} times as long, run in turns"
    if ratio.low <= 1 <= ratio.high:
        return f"no difference in time is shown ({interval})"
    less = 1 - ratio.median
    text = f"the rewritten model takes {100 * abs(less):.1f}% {'less' if less > 0 else 'more'} time ({interval})"
    return text + (
        f": the change of {100 * abs(fewer):.0f}% {'fewer' if fewer > 0 else 'more'} operations is not one of {100 * abs(fewer):.0f}% in time"
        if abs(fewer - less) > 0.05
        else ""
    )


_COLUMNS = (
    Column("convolution"),
    Column("rewrite"),
    Column("shape"),
    Column("params before", "params"),
    Column("params after", "params"),
    Column("MACs before", "MACs"),
    Column("MACs after", "MACs"),
    Column("MACs saved", "%", format=".1%"),
)


def candidate_sheet(model: str, found, whole, left=(), top: int | None = None) -> Sheet:
    """The ranking: a row a candidate, the largest saving first, of all that were `found` the first `top`. `left`: convolutions that cannot be
    replaced, path to reason."""
    rows = tuple(
        {
            "convolution": c.path,
            "rewrite": c.rewrite,
            "shape": f"{_x(c.conv.kernel)}, {c.conv.c_in} -> {c.conv.c_out}, middle {c.mid}",
            "params before": c.params[0],
            "params after": c.params[1],
            "MACs before": c.macs[0],
            "MACs after": c.macs[1],
            "MACs saved": c.saved / c.macs[0],
            "of the model": c.saved / whole.macs,
        }
        for c in found[:top]
    )
    dearer = sum(c.saved < 0 for c in found)
    notes = (
        f"{len(found)} rewrites of {len({c.path for c in found})} convolutions, ranked by MACs saved{f', of which the first {len(rows)} are shown' if len(rows) < len(found) else ''}; "
        f"{dearer} of them would cost more",
        f"the model has {whole.macs:,} MACs and {whole.params:,} params; apply some with --apply PATH, PATH:REWRITE or `best`",
        *(
            [
                f"not listed, because they cannot be replaced: {len(left)} convolutions, such as {next(iter(left))}: {next(iter(left.values()))}"
            ]
            if left
            else ()
        ),
    )
    return Sheet(
        f"{model}: rewrites", (*_COLUMNS, Column("of the model", "%", format=".2%")), rows, notes
    )


def choose(found, wanted, left=None) -> list[Candidate]:
    """Candidates by name: PATH (its best rewrite), PATH:REWRITE, or "best" (the best saving rewrite of every convolution).

    Raises ValueError for a name that is no candidate."""
    chosen = []
    for name in wanted:
        if name == "best":
            paths = set()
            for c in found:
                if c.saved > 0 and c.path not in paths:
                    paths.add(c.path)
                    chosen.append(c)
            if not paths:
                raise ValueError(
                    "no rewrite saves MACs at this middle width; try --mid in"
                    if found
                    else "there is no convolution that can be factorized: 2-d, dense and larger than 1x1"
                    if not left
                    else f"no convolution here can be replaced; {next(iter(left))}: {next(iter(left.values()))}"
                )
            continue
        path, _, rewrite = (
            (name, "", "")
            if any(c.path == name for c in found) or name in (left or {})
            else name.rpartition(":")
            if ":" in name
            else (name, "", "")
        )
        match = [c for c in found if c.path == path and (not rewrite or c.rewrite == rewrite)]
        if path in (left or {}):
            raise ValueError(f"{path} cannot be replaced: {left[path]}")
        if not match:
            import difflib

            near = difflib.get_close_matches(path, {c.path for c in found}, 1)
            raise ValueError(
                f"no rewrite {name!r}"
                + (
                    f"; did you mean {near[0]}?"
                    if near and near[0] != path
                    else "; run without --apply to see them"
                )
            )
        chosen.append(match[0])
    return chosen


def factorize(
    model: nn.Module, inputs, kwargs, chosen, spec: str, device: str = "auto", tracer=run, pair=None
) -> Factorization:
    """Apply `chosen` for real, trace again and compare with the prediction. `tracer`: `costlab.trace`, or `costlab.measure.measure` to have the
    times too; `pair`: `costlab.measure.paired`, to compare them. Raises TraceError when the new model fails."""
    after_model = apply(model, chosen)
    traces = tuple(
        tracer(m, inputs, kwargs, device=device, spec=s)
        for m, s in ((model, spec), (after_model, f"{spec} rewritten"))
    )
    before, after = (total(t) for t in traces)
    params = before.params + sum(c.params[1] - c.params[0] for c in chosen)
    macs = before.macs + sum(c.macs[1] - c.macs[0] for c in chosen)
    fields = []
    graphs = [layer_graph(t) for t in traces]
    for c in chosen:
        ends = []
        for graph in graphs:
            last = [
                n
                for n in graph
                if n.op
                and (not c.path or n.op.module == c.path or n.op.module.startswith(c.path + "."))
            ]
            ends.append(max(last[-1].field) if last and last[-1].field else 0)
        fields.append((c.path, *ends))
    outputs = tuple(tuple(t.tensors[i].shape for i in t.outputs) for t in traces)
    ratio = pair(model, after_model, inputs, kwargs, device=device) if pair else None
    return Factorization(
        spec,
        tuple(chosen),
        (before.params, after.params),
        (before.macs, after.macs),
        params,
        macs,
        tuple(fields),
        outputs,
        traces,
        ratio,
    )

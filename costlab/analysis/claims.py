"""An executable ledger of claims: what is said, the value computed now from traces, and the verdict.

A ledger is TOML or YAML: a list `claim` of tables with `id`, `says` and either `checks` (a list of {expr, said, tolerance, about}),
`readings` (the same, as rival ways to count one number) or nothing (not computable). An expression is arithmetic over models'
figures: `model('googlenet').macs / model('alexnet').macs`. It may use nothing but the names of `FUNCTIONS`.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from .. import reference, zoo
from ..cost import total
from ..graph import WEIGHTED, layer_graph, longest
from ..tables import Column, Sheet, table
from ..trace import Trace

VERDICTS = ("reproduced", "approximately", "contradicted", "typo", "published only")


class LedgerError(ValueError):
    """A ledger or an expression that cannot be run; one line that quotes it."""


class Figures:
    """The costs of a traced network or of a part of it, as expressions see them."""

    def __init__(self, trace: Trace, ops=None, nodes=None):
        self._trace, self._ops = trace, ops
        self._nodes = nodes

    @cached_property
    def _graph(self):
        return layer_graph(self._trace) if self._nodes is None else self._nodes

    @cached_property
    def _total(self):
        return total(self._trace, self._ops)

    @cached_property
    def _table(self):
        return table(self._trace, "auto", "macs")

    macs = property(lambda self: self._total.macs, doc="Multiply-adds.")
    flops = property(lambda self: self._total.flops, doc="Floating-point operations.")
    params = property(lambda self: self._total.params, doc="Parameter elements.")
    weights = property(
        lambda self: self._total.weights, doc="Parameters but biases and norm scales."
    )
    biases = property(
        lambda self: self._total.params - self._total.weights, doc="Biases and norm scales."
    )
    activations = property(
        lambda self: self._total.activations, doc="Output elements of convolutions and products."
    )

    @property
    def out(self):
        """Shape of the last layer's output, without the batch."""
        return self._graph[-1].out_shape[1:]

    @property
    def depth(self):
        """Layers with weights on the longest path."""
        return longest(self._graph)

    @property
    def depth_with_pools(self):
        """As depth, with pooling layers."""
        return longest(self._graph, lambda n: n.kind in WEIGHTED or n.kind.endswith("pool"))

    @property
    def receptive_field(self):
        """Input pixels a side that the last layer sees."""
        return max(self._graph[-1].field)

    @property
    def pointwise(self):
        """The 1x1 convolutions."""
        return self._of(lambda n: n.pointwise)

    def _of(self, keep):
        chosen = tuple(n for n in self._graph if keep(n))
        return Figures(self._trace, [op for n in chosen for op in n.ops], chosen)

    def kind(self, name):
        """The layers of one kind: conv, linear, max pool, avg pool."""
        return self._of(lambda n: n.kind == name)

    def kernels(self, k):
        """The convolutions with a k x k kernel."""
        return self._of(lambda n: n.kind == "conv" and set(n.kernel) == {k})

    def part(self, path):
        """The layers under a module path."""
        found = self._of(lambda n: n.op is not None and (n.op.module + ".").startswith(path + "."))
        if not found._graph:
            raise LedgerError(f"no layer under {path!r}")
        return found

    @property
    def count(self):
        """How many layers."""
        return len(self._graph)

    def row(self, label):
        """A row of the paper's table by its type."""
        r = self._row(label)
        nodes = [self._graph[i] for i in r.nodes]
        return Figures(self._trace, [op for n in nodes for op in n.ops], nodes)

    def _row(self, label):
        names = {}
        for r in self._table.rows:
            for name in (r.id, *(r.cells.get(k) for k in ("type", "name", "layer name", "layers"))):
                if name:
                    names.setdefault(name, r)
        if label in names:
            return names[label]
        near = difflib.get_close_matches(label, names, 3)
        raise LedgerError(
            f"no row {label!r}"
            + (
                f"; did you mean {' or '.join(near)}?"
                if near
                else f"; there are {', '.join(r.id for r in self._table.rows[:12])}"
            )
        )

    def cell(self, label, column):
        """A cell of the paper's table."""
        cells = self._row(label).cells
        if column not in cells:
            raise LedgerError(f"row {label!r} has no {column!r}")
        return cells[column]

    @property
    def widths(self):
        """Output channels of the rows that are forks."""
        return tuple(
            self._graph[max(r.nodes)].out_shape[1]
            for r in self._table.rows
            if self._graph[max(r.nodes)].kind == "cat"
        )

    @property
    def input(self):
        """Shape of the network's input, without the batch."""
        return self._trace.tensors[self._trace.inputs[0]].shape[1:]

    @property
    def grids(self):
        """The side of the output, layer by layer, where it is a grid."""
        return tuple(n.out_shape[2] for n in self._graph if len(n.out_shape) == 4)


def _traced(make, shape, train=None) -> Trace:
    from ..trace.build import traced

    return traced(make, shape, train=train)


@lru_cache(maxsize=256)
def _zoo(name, size, train, arguments):
    if name not in zoo.names():
        near = difflib.get_close_matches(name, zoo.names(), 1)
        raise LedgerError(
            f"unknown model {name!r}" + (f"; did you mean {near[0]}?" if near else "")
        )
    shape = zoo.input_shape(name)
    shape = (*shape[:2], size, size) if size else shape
    return Figures(
        _traced(
            lambda: zoo.build(name, **dict(arguments)),
            shape if not train else (2, *shape[1:]),
            train or None,
        )
    )


def _model(name, size=None, train=False, **arguments):
    """A zoo model at the paper's input, or at `size` pixels; in training mode a batch of two."""
    return _zoo(name, size, train, tuple(sorted(arguments.items())))


@lru_cache(maxsize=256)
def _module(name, *args, input, **arguments):
    """A building block of `costlab.zoo.modules`, alone, on `input` (N, c, H, W)."""
    from ..zoo import modules

    block = getattr(modules, name, None)
    if block is None or name.startswith("_"):
        raise LedgerError(f"no building block {name!r}")
    return Figures(_traced(lambda: block(*args, **arguments), input))


@lru_cache(maxsize=256)
def _convs(*layers, size, bias=False):
    """Convolutions in a row on a `size` x `size` grid, each (c_in, c_out, kernel, stride = 1, padding = kernel // 2)."""
    from torch import nn

    def make():
        found = []
        for c_in, c_out, k, *more in layers:
            k = (k, k) if isinstance(k, int) else k
            stride = more[0] if more else 1
            padding = more[1] if len(more) > 1 else tuple(n // 2 for n in k)
            found.append(nn.Conv2d(c_in, c_out, k, stride, padding, bias=bias))
        return nn.Sequential(*found)

    return Figures(_traced(make, (1, layers[0][0], size, size)))


def _published(network, setting, column="top5_err"):
    """A published error rate (not measured here), in percent."""
    for r in reference.load("published_results"):
        if r["network"] == network and r["setting"] == setting and r[column]:
            return float(r[column].split()[0])
    raise LedgerError(f"no published {column} of {network!r}, {setting!r}")


def _fact(key):
    """A fact of the reference data, as text."""
    for r in reference.load("auxiliary_facts"):
        if r["key"] == key:
            return r["value"]
    raise LedgerError(f"no fact {key!r}")


def _pointwise_is_linear():
    """Whether a 1x1 convolution and a linear layer with the same weights agree, in float64 on random data."""
    import torch

    generator = torch.Generator().manual_seed(0)
    x, w, b = (
        torch.rand(*s, dtype=torch.float64, generator=generator)
        for s in ((2, 4, 5, 5), (2, 4), (2,))
    )
    conv = torch.nn.functional.conv2d(x, w[:, :, None, None], b)
    linear = torch.nn.functional.linear(x.permute(0, 2, 3, 1), w, b).permute(0, 3, 1, 2)
    return bool((conv - linear).abs().max() < 1e-14)


def _power(a, b):
    if abs(b) > 64 or abs(a) > 1e18:
        raise ValueError(f"{a} to the power {b} is out of all proportion")
    return a**b


FUNCTIONS = {
    "model": _model,
    "module": _module,
    "convs": _convs,
    "published": _published,
    "fact": _fact,
    "pointwise_is_linear": _pointwise_is_linear,
    "sum": sum,
    "max": max,
    "min": min,
    "round": round,
    "abs": abs,
    "len": len,
}
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def evaluate(expression: str, functions=None):
    """(value, working): the working is each figure that the expression took from a trace, as (text, value).

    Raises LedgerError for a syntax error, an unknown name or anything but arithmetic over `functions`."""
    functions = functions or FUNCTIONS
    working: dict[str, object] = {}

    def look(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(look(e) for e in node.elts)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            sides = look(node.left), look(node.right)
            if isinstance(node.op, ast.Mult) and not all(
                isinstance(s, (int, float)) for s in sides
            ):
                raise LedgerError(f"{ast.unparse(node)!r} multiplies what is no number")
            return _OPERATORS[type(node.op)](*sides)
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](look(node.operand))
        if isinstance(node, ast.BoolOp):
            values = [look(v) for v in node.values]
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.Compare) and all(type(o) in _OPERATORS for o in node.ops):
            sides = [node.left, *node.comparators]
            values = [
                note(side, look(side)) if isinstance(side, ast.BinOp) else look(side)
                for side in sides
            ]  # a ratio that is compared says how far off
            return all(_OPERATORS[type(o)](a, b) for o, a, b in zip(node.ops, values, values[1:]))
        if isinstance(node, ast.Subscript):
            return look(node.value)[look(node.slice)]
        if isinstance(node, ast.Name):
            if node.id in functions:
                return functions[node.id]
            near = difflib.get_close_matches(node.id, functions, 1)
            raise LedgerError(
                f"unknown name {node.id!r}"
                + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(functions)}")
            )
        if isinstance(node, ast.Attribute):
            base = look(node.value)
            if (
                not isinstance(base, Figures)
                or node.attr.startswith("_")
                or not hasattr(type(base), node.attr)
            ):
                names = [n for n in vars(Figures) if not n.startswith("_")]
                raise LedgerError(f"unknown figure {node.attr!r}; there are {', '.join(names)}")
            value = getattr(base, node.attr)
            return note(node, value)
        if (
            isinstance(node, ast.Call)
            and all(k.arg for k in node.keywords)
            and not any(isinstance(a, ast.Starred) for a in node.args)
        ):
            return note(
                node,
                look(node.func)(
                    *map(look, node.args), **{k.arg: look(k.value) for k in node.keywords}
                ),
            )
        raise LedgerError(
            f"{ast.unparse(node)!r} is not allowed; an expression is arithmetic over models' figures"
        )

    def note(node, value):
        if isinstance(value, (int, float, str, tuple)) and not callable(value):
            working[ast.unparse(node)] = value
        return value

    try:
        value = look(ast.parse(expression, mode="eval").body)
        if isinstance(value, Figures) or callable(value):
            raise LedgerError(
                "that is a model and no figure; take one of it, such as .macs or .params"
            )
        return value, tuple(working.items())
    except LedgerError as e:
        raise LedgerError(f"{e} (in {expression!r})") from None
    except SyntaxError as e:
        raise LedgerError(f"cannot read {expression!r}: {e.msg} at column {e.offset}") from None
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RuntimeError,
        RecursionError,
    ) as e:
        raise LedgerError(
            f"{expression!r} fails: {type(e).__name__}: {(str(e).strip().splitlines() or [''])[0]}"
        ) from None


@dataclass(frozen=True)
class Check:
    """`expr` gives `value`; it should be `said` within `tolerance` (relative), or about it within `about`. Without `said`, the
    expression itself should be true."""

    expr: str
    said: float | str | None
    value: object
    working: tuple
    outcome: str  # yes, about, no
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """One finished entry: `verdict` of `VERDICTS`, found from the checks."""

    id: str
    says: str
    paper: str
    assumption: str
    source: str
    checks: tuple[Check, ...]
    verdict: str


@dataclass(frozen=True)
class Ledger:
    """The claims in order."""

    title: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def sheet(self) -> Sheet:
        """A row a claim: what is said, what is computed now, the verdict."""
        rows = tuple(
            {
                "id": c.id,
                "claim": c.says,
                "computed now": "; ".join(map(_computed, c.checks)),
                "published": c.paper,
                "assumption": c.assumption,
                "verdict": c.verdict,
            }
            for c in self.claims
        )
        columns = tuple(
            Column(k) for k in ("id", "claim", "computed now", "published", "assumption", "verdict")
        )
        counts = ", ".join(
            f"{n} {v}" for v in VERDICTS if (n := sum(c.verdict == v for c in self.claims))
        )
        return Sheet(
            self.title, columns, rows, (f"{len(self.claims)} claims: {counts}", *self.notes)
        )


def _computed(check) -> str:
    """What a check gave; of a comparison the two sides, where the working has them."""
    if not isinstance(check.value, bool):
        return spell(check.value)
    sides, working = re.split(r"\s*(<=|>=|==|!=|<|>)\s*", check.expr), dict(check.working)
    said = [spell(working[s]) if s in working else s for s in sides]
    return (
        " ".join(said)
        if len(sides) > 1 and any(s in working for s in sides)
        else spell(check.value)
    )


def spell(value) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(spell, value)) if isinstance(value, tuple) else str(value)


def _number(said):
    """A number that is written as text: 25.6e6 as YAML reads it, 11.7M. Raises LedgerError for another text."""
    m = re.fullmatch(r"([\d,]+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([KMGBT]?)", said.strip())
    if not m:
        raise LedgerError(f"cannot compare a number with {said!r}; write it as 25.6e6 or 11.7M")
    return float(m[1].replace(",", "")) * 1000 ** " KMGT".index({"": " ", "B": "G"}.get(m[2], m[2]))


def _outcome(value, said, tolerance, about):
    if said is None or isinstance(value, bool):
        return "yes" if bool(value) == (True if said is None else said) else "no"
    if isinstance(value, (str, tuple)) or isinstance(said, (str, list)):
        return (
            "yes" if (list(value) == said if isinstance(value, tuple) else value == said) else "no"
        )
    off = abs(value - said) / (abs(said) or 1)
    return "yes" if off <= tolerance else "about" if off <= about else "no"


def _slip(check) -> bool:
    """An integer that differs from the computed one by a single digit written wrong, left out or too many."""
    if (
        check.said is None
        or not isinstance(check.value, int)
        or isinstance(check.value, bool)
        or not isinstance(check.said, int)
    ):
        return False
    a, b = str(check.said), str(check.value)
    same = sum(m.size for m in difflib.SequenceMatcher(None, a, b, False).get_matching_blocks())
    return max(len(a), len(b)) - same == 1 and len(b) > 1


def _verdict(checks, rival, published) -> str:
    outcomes = {c.outcome for c in checks}
    if not checks:
        return "published only"
    if published:
        return (
            "contradicted"
            if outcomes == {"no"} and any(c.said is not None for c in checks)
            else "published only"
        )
    if rival and len(outcomes) > 1:
        return "published only"  # no unique recount
    if outcomes == {"yes"}:
        return "reproduced"
    if outcomes == {"no"}:
        return "typo" if len(checks) == 1 and _slip(checks[0]) else "contradicted"
    return "approximately"


def _options(ident, check):
    """Refuse a tolerance that is no number."""
    for key in ("tolerance", "about"):
        value = check.get(key, 0)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not 0 <= value < math.inf
        ):
            raise LedgerError(f"claim {ident}: {key} is a share such as 0.01, not {value!r}")


def run(entries, functions=None, title="claims", only=None, strict=False) -> Ledger:
    """Run a ledger's entries (dicts as in the file); `only`: ids to run; `strict`: one check that fails contradicts its claim, as a budget's
    does, where a note's claim holds approximately.

    Raises LedgerError, naming the entry, for one that cannot be run."""
    known = [str(e.get("id", i + 1)) for i, e in enumerate(entries)]
    twice = next((k for k in known if known.count(k) > 1), None)
    if twice:
        raise LedgerError(f"claim {twice}: two claims have this id")
    for wanted in only or ():
        if wanted not in known:
            near = difflib.get_close_matches(wanted, known, 3)
            raise LedgerError(
                f"no claim {wanted!r}; {'did you mean ' + ' or '.join(near) + '?' if near else f'there are {known[0]} to {known[-1]}'}"
            )
    claims = []
    for ident, entry in zip(known, entries):
        if only and ident not in only:
            continue
        unknown = set(entry) - {
            "id",
            "says",
            "paper",
            "assumption",
            "source",
            "checks",
            "readings",
            "published",
        }
        if unknown or "says" not in entry:
            raise LedgerError(
                f"claim {ident}: "
                + (
                    f"unknown key {sorted(unknown)[0]!r}"
                    if unknown
                    else "it says nothing (no key 'says')"
                )
            )
        if not isinstance(entry.get("published", False), bool):
            raise LedgerError(
                f"claim {ident}: published is true or false, not {entry['published']!r}"
            )
        checks = []
        for kind in ("checks", "readings"):
            if not isinstance(entry.get(kind, []), list):
                raise LedgerError(f"claim {ident}: {kind} is a list of tables, each with an 'expr'")
        for check in (*entry.get("checks", ()), *entry.get("readings", ())):
            if not isinstance(check, dict) or not isinstance(check.get("expr"), str):
                raise LedgerError(f"claim {ident}: a check is a table with an 'expr'")
            strange = next(
                (k for k in check if k not in ("expr", "said", "tolerance", "about", "note")), None
            )
            if strange:
                near = difflib.get_close_matches(strange, ("said", "tolerance", "about", "note"), 1)
                raise LedgerError(
                    f"claim {ident}: unknown key {strange!r} in a check"
                    + (f"; did you mean {near[0]}?" if near else "")
                )
            _options(ident, check)
            try:
                value, working = evaluate(check["expr"], functions)
                said = check.get("said")
                numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
                if said is None and numeric and not check.get("note"):
                    raise LedgerError(
                        f"{check['expr']!r} is a number, {spell(value)}, with nothing to hold it against; give 'said', or compare it"
                    )
                said = _number(said) if numeric and isinstance(said, str) else said
                # a tolerance of the ledger's own is the last word
                outcome = _outcome(
                    value,
                    said,
                    check.get("tolerance", 0.005),
                    check.get("about", 0.1 if "tolerance" not in check else 0),
                )
            except (LedgerError, TypeError) as e:
                raise LedgerError(f"claim {ident}: {e}") from None
            checks.append(
                Check(check["expr"], said, value, working, outcome, check.get("note", ""))
            )
        verdict = _verdict(checks, bool(entry.get("readings")), entry.get("published", False))
        if strict and any(c.outcome == "no" for c in checks[: len(entry.get("checks", ()))]):
            verdict = "contradicted"
        claims.append(
            Claim(
                ident,
                entry["says"],
                entry.get("paper", ""),
                entry.get("assumption", ""),
                entry.get("source", ""),
                tuple(checks),
                verdict,
            )
        )
    return Ledger(title, tuple(claims))


def read(path: str) -> list[dict]:
    """The entries of a TOML or YAML ledger. Raises LedgerError naming the file (and line) that cannot be read."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise LedgerError(f"cannot read {path}: {e.strerror}") from None
    if path.endswith((".yaml", ".yml")):
        import yaml

        try:
            doc = yaml.safe_load(data)
        except yaml.YAMLError as e:
            line = getattr(e, "problem_mark", None)
            raise LedgerError(
                f"{path}{f', line {line.line + 1}' if line else ''}: {getattr(e, 'problem', None) or 'not YAML'}"
            ) from None
    else:
        import tomllib

        try:
            doc = tomllib.loads(data.decode("utf-8", "replace"))
        except tomllib.TOMLDecodeError as e:
            raise LedgerError(f"{path}: {e}") from None
    entries = doc.get("claim") if isinstance(doc, dict) else doc
    if (
        not isinstance(entries, list)
        or not entries
        or not all(isinstance(e, dict) for e in entries)
    ):
        raise LedgerError(f"{path} has no claims; write [[claim]] tables with id, says and checks")
    return entries


def note_ledger() -> list[dict]:
    """The study note's claims: texts of `reference/claims.csv`, checks of `reference/claims.toml`."""
    checks = {e["id"]: e for e in read(str(reference.path("claims.toml")))}
    return [
        {
            **checks.get(r["id"], {}),
            "id": r["id"],
            "says": r["note_says"],
            "paper": r["paper_figure"],
            "assumption": r["assumption"],
            "source": r["source"],
        }
        for r in reference.load("claims")
    ]

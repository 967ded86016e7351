"""What changed between two versions of a model, block by block."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from .._result import Charted
from ..tables import Column, Sheet, choose_style, opened, table
from ..graph import layer_graph
from ..trace import Trace


@dataclass(frozen=True)
class Step:
    """A block in both (base, head): params in elements, MACs in multiply-adds, 0 where it is not there; `what` is equal, changed,
    added or removed; `seconds` measured in place, None where it was not in both."""

    name: str
    what: str
    params: tuple[int, int]
    macs: tuple[int, int]
    cells: str
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Change(Charted):
    """Base and head by name, all steps in order, totals (base, head); `seconds` of the operations in place where both were measured."""

    base: str
    head: str
    steps: tuple[Step, ...]
    params: tuple[int, int]
    macs: tuple[int, int]
    seconds: tuple[float, float] | None = None

    chart_kind = "waterfall"

    @property
    def sheet(self) -> Sheet:
        """A row a block that differs."""
        columns = (
            Column("block"),
            Column("what"),
            Column("params base", "params"),
            Column("params head", "params"),
            Column("params change", "params", format="+,d"),
            Column("MACs base", "MACs"),
            Column("MACs head", "MACs"),
            Column("MACs change", "MACs", format="+,d"),
            *(
                (Column("time base", "ms", format=",.3f"), Column("time head", "ms", format=",.3f"))
                if self.seconds
                else ()
            ),
            Column("cells"),
        )

        def cells(name, what, params, macs, seconds, text=""):
            times = (
                dict(zip(("time base", "time head"), (1e3 * s for s in seconds))) if seconds else {}
            )
            return {
                "block": name,
                "what": what,
                "params base": params[0],
                "params head": params[1],
                "params change": params[1] - params[0],
                "MACs base": macs[0],
                "MACs head": macs[1],
                "MACs change": macs[1] - macs[0],
                **times,
                "cells": text,
            }

        rows = tuple(
            cells(s.name, s.what, s.params, s.macs, s.seconds, s.cells)
            for s in self.steps
            if s.what != "equal"
        )
        same = sum(s.what == "equal" for s in self.steps)
        return Sheet(
            f"{self.base} to {self.head}",
            columns,
            rows,
            (
                f"{same} blocks are equal and not listed; params with biases; one MAC = one multiply-add",
            ),
            {
                k: v
                for k, v in cells("", "", self.params, self.macs, self.seconds).items()
                if k not in ("block", "what", "cells")
            },
        )


_SHOWN = 3  # differences of one block in words
_PLAIN = (
    "stride",
    "padding",
    "dilation",
    "groups",
    "kernel_size",
    "p",
    "eps",
    "approximate",
    "negative_slope",
    "ceil_mode",
)


def _inside(base, head, a, b) -> list[str]:
    """What runs otherwise in a block whose cells are the same: other operations, or other arguments of the same ones."""

    def signature(trace, op):
        shape = trace.tensors[op.outputs[0]].shape if op.outputs else ()
        return (
            op.name,
            op.module_type,
            tuple((k, op.attrs[k]) for k in _PLAIN if k in op.attrs),
            shape,
        )

    sides = [[signature(t, t.ops[i]) for i in r.ops] for t, r in ((base, a), (head, b))]
    found = []
    n = len(sides[0])
    spans = (
        [("one by one", 0, n, 0, n)]
        if n == len(sides[1])
        else SequenceMatcher(None, *sides, autojunk=False).get_opcodes()
    )
    for kind, a0, a1, b0, b1 in spans:
        if kind == "equal":
            continue
        for x, y in zip_longest(sides[0][a0:a1], sides[1][b0:b1]):
            if x == y:
                continue
            if x and y and x[:2] == y[:2]:
                old, new = dict(x[2]), dict(y[2])
                found += [
                    f"{x[1]} {k}: {_spell(old.get(k))} -> {_spell(new.get(k))}"
                    for k in dict.fromkeys([*old, *new])
                    if old.get(k) != new.get(k)
                ]
                found += [f"{x[1]}: {_spell(x[3])} -> {_spell(y[3])}"] if x[3] != y[3] else []
            else:
                found.append(
                    " -> ".join(
                        f"{s[1]} ({s[0].removeprefix('aten.')})" if s else "none" for s in (x, y)
                    )
                )
    found = list(dict.fromkeys(found))
    return found[:_SHOWN] + ([f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])


def _spell(value):
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def change(base: Trace, head: Trace, style: str = "auto", depth: int | None = None) -> Change:
    """Compare the rows of both tables by their module path. With style auto, the base's style is used for both."""
    style = choose_style(base, layer_graph(base)) if style == "auto" else style
    if style == "layers" and depth is None:  # the same modules opened in both
        depth = frozenset().union(*(opened(t, layer_graph(t)) for t in (base, head)))
    tables = [table(t, style, "macs", depth, merge=False) for t in (base, head)]
    rows = [{r.id: r for r in t.rows} for t in tables]
    order = [r.id for r in tables[0].rows]
    for i, r in enumerate(tables[1].rows):  # what is new goes after what it follows
        if r.id not in rows[0]:
            before = tables[1].rows[i - 1].id if i else None
            order.insert(order.index(before) + 1 if before in order else 0, r.id)
    measured = all(t.measured for t in (base, head))
    names = Counter(r.name for r in {r.id: r for t in tables for r in t.rows}.values())
    steps = []
    for ident in order:
        a, b = rows[0].get(ident), rows[1].get(ident)
        either = a or b
        name = either.name if names[either.name] < 2 else f"{either.name} [{ident}]"
        params, macs = (
            (a.params if a else 0, b.params if b else 0),
            (a.macs if a else 0, b.macs if b else 0),
        )
        differ = (
            [
                f"{k}: {a.cells.get(k, '') or 'none'} -> {b.cells.get(k, '') or 'none'}"
                for k in dict.fromkeys([*a.cells, *b.cells])
                if a.cells.get(k) != b.cells.get(k)
                and k not in ("params", "ops", "time", "backward")
            ]
            if a and b
            else []
        )
        differ += _inside(base, head, a, b) if a and b and not differ else []
        what = (
            "added"
            if a is None
            else "removed"
            if b is None
            else "changed"
            if differ or params[0] != params[1] or macs[0] != macs[1]
            else "equal"
        )
        seconds = tuple(r.seconds if r else 0.0 for r in (a, b)) if measured else None
        steps.append(Step(name, what, params, macs, "; ".join(differ), seconds))
    whole = tuple(sum(r.seconds for r in t.rows) for t in tables) if measured else None
    return Change(
        tables[0].title,
        tables[1].title,
        tuple(steps),
        tuple(t.params for t in tables),
        tuple(t.macs for t in tables),
        whole,
    )

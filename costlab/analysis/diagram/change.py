"""Versions of a module or a network beside each other: one scale, and what changed marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from ...cost import total
from ...trace.record import Trace
from .build import diagram
from .result import Box, Diagram, Part

SHOWN = 4  # rewritten convolutions in one picture


def on_one_scale(diagrams: Sequence[Diagram]) -> list[Diagram]:
    """The same diagrams in the cost style, shares taken of the one with most multiply-adds."""
    largest = max(diagrams, key=lambda d: d.own_macs)
    scope = repr(largest.title)
    return [replace(d, macs=largest.own_macs, scope=scope) for d in diagrams]


def _briefly(d: Diagram) -> Diagram:
    """With its totals alone as the note."""
    params, macs = d.convention.spell_params(d.params), d.convention.spell_ops(d.own_macs)
    return replace(d, notes=(f"{params} params", f"{macs} MACs"))


def modules(drawings: Sequence[tuple[str, Trace]]) -> list[Diagram]:
    """Small traces, each whole, on one scale. `drawings`: (title, or "" for the model's name;
    trace)."""
    drawn = [(title, diagram(trace, module="", style="cost")) for title, trace in drawings]
    return on_one_scale([_briefly(replace(d, title=title or d.title)) for title, d in drawn])


def compared(base: Trace, head: Trace, depth: int = 0) -> tuple[Diagram, Diagram]:
    """Two versions of a network on one scale, changed boxes marked."""
    before, after = (diagram(t, depth, style="cost") for t in (base, head))
    titles = ("before", "after")
    if before.title != after.title:
        titles = (f"before: {before.title}", f"after: {after.title}")
    titled = [_briefly(replace(d, title=t)) for d, t in zip((before, after), titles, strict=True)]
    return marked(*on_one_scale(titled))


def marked(before: Diagram, after: Diagram) -> tuple[Diagram, Diagram]:
    """Both with marks on the boxes that only one of them has, or that are not the same."""
    pairs = SequenceMatcher(
        None, [_key(b) for b in before.boxes], [_key(b) for b in after.boxes], autojunk=False
    )
    marks: tuple[dict[str, str], dict[str, str]] = ({}, {})
    words = {"replace": ("changed", "changed"), "delete": ("removed", ""), "insert": ("", "added")}
    for kind, i, j, k, n in pairs.get_opcodes():
        if kind != "equal":
            marks[0].update((b.id, words[kind][0]) for b in before.boxes[i:j])
            marks[1].update((b.id, words[kind][1]) for b in after.boxes[k:n])
    return _with(before, marks[0]), _with(after, marks[1])


def _key(box: Box) -> tuple:
    return box.name, box.size, box.params, box.macs


def _with(d: Diagram, marks: dict[str, str]) -> Diagram:
    return replace(d, boxes=tuple(replace(b, mark=marks.get(b.id, "")) for b in d.boxes))


def rewritten(traces: Sequence[Trace], paths: Sequence[str]) -> tuple[Diagram, Diagram]:
    """The layers under `paths` in a trace and in the one after rewriting them: the most expensive
    `SHOWN` paths, each a chain of its own, on one scale."""
    macs = {
        p: sum(total(traces[0], [op]).macs for op in traces[0].forward if op.module == p)
        for p in paths
    }
    shown = sorted(paths, key=lambda p: -macs[p])[:SHOWN]
    paths_shown = [p for p in paths if p in shown]
    left = len(paths) - len(paths_shown)
    note = f"the {SHOWN} most expensive; {left} more are not drawn" if left else ""
    model = traces[0].provenance["model"]
    both = [
        _beside([_of_path(t, p) for p in paths_shown], f"{word}: {model}", note)
        for t, word in zip(traces, ("before", "after"), strict=True)
    ]
    before, after = on_one_scale(both)
    return before, after


def _of_path(trace: Trace, path: str) -> Diagram:
    """The layers of one path, its input named after it."""
    d = diagram(trace, module=path, style="cost", convention="macs")
    named = lambda b: f"{path}: input" if b.kind == "input" else b.text  # noqa: E731
    return replace(d, boxes=tuple(replace(b, text=named(b)) for b in d.boxes))


def _beside(parts: Sequence[Diagram], title: str, note: str) -> Diagram:
    """Several diagrams as branches of one."""
    boxes = [b for i, d in enumerate(parts) for b in _kept_apart(d, f"{i}:").boxes]
    edges = [e for i, d in enumerate(parts) for e in _kept_apart(d, f"{i}:").edges]
    roots = tuple(_kept_apart(d, f"{i}:").root for i, d in enumerate(parts))
    both = replace(
        parts[0],
        title=title,
        boxes=tuple(boxes),
        edges=tuple(edges),
        root=roots[0] if len(roots) == 1 else Part("row", children=roots),
        macs=sum(d.own_macs for d in parts),
        shorter=None,
    )
    return replace(both, notes=tuple(filter(None, (*_briefly(both).notes, note))))


def _kept_apart(d: Diagram, prefix: str) -> Diagram:
    """With ids that no other part has."""
    return replace(
        d,
        boxes=tuple(replace(b, id=prefix + b.id) for b in d.boxes),
        edges=tuple(
            replace(e, source=prefix + e.source, target=prefix + e.target) for e in d.edges
        ),
        root=_prefixed(d.root, prefix),
    )


def _prefixed(part: Part, prefix: str) -> Part:
    box = prefix + part.box if part.box else ""
    return replace(part, box=box, children=tuple(_prefixed(c, prefix) for c in part.children))

"""Versions of a module or a network beside each other: one scale, and what changed marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from ...cost import total
from ...graph import layer_graph
from ...predict import prediction_of
from ...tables import default_convention, display_names, version_name
from ...trace.record import Trace
from ..change.operations import operation
from . import notes
from .build import diagram
from .result import Box, Diagram, Part

SHOWN = 4  # rewritten convolutions in one picture


def on_one_scale(diagrams: Sequence[Diagram]) -> list[Diagram]:
    """The same diagrams in the cost style, shares taken of the one with most multiply-adds."""
    largest = max(diagrams, key=lambda d: d.own_macs)
    scope = repr(largest.title)
    return [replace(d, macs=largest.own_macs, scope=scope) for d in diagrams]


def _briefly(d: Diagram, trace: Trace, *, whole: bool = True) -> Diagram:
    """With its totals alone as the note; `whole`: whether it is of the whole trace."""
    prediction = prediction_of(trace)
    times = (notes.times(prediction, whole=whole),) if prediction else ()
    return replace(d, notes=(*notes.brief_totals(d.params, d.own_macs, d.convention), *times))


def modules(drawings: Sequence[tuple[str, Trace]]) -> list[Diagram]:
    """Small traces, each whole, on one scale. `drawings`: (title, or "" for the model's name;
    trace)."""
    drawn = [(diagram(trace, module="", style="cost"), t, trace) for t, trace in drawings]
    return on_one_scale([_briefly(replace(d, title=t or d.title), trace) for d, t, trace in drawn])


def compared(
    *traces: Trace,
    depth: int | None = None,
    module: str | None = None,
    words: Sequence[str] = (),
) -> tuple[Diagram, ...]:
    """Networks, or versions of one, on one scale: of two, each box that only one of them has, or
    that is not the same in both, is marked. Their params are of one convention, that of their
    tables where these agree.

    Args:
        depth, module: of `diagram`.
        words: what each is called before its name, such as ("before", "after").

    Raises ValueError for a negative depth, and for a module without layers."""
    own = {default_convention(t).name for t in traces}
    convention = own.pop() if len(own) == 1 else "macs"
    drawings = [_whole(diagram(t, depth, module, "cost", convention)) for t in traces]
    titles = _titles([version_name(t) for t in traces], words)
    titled = [
        _briefly(replace(d, title=title), trace, whole=module is None)
        for d, title, trace in zip(drawings, titles, traces, strict=True)
    ]
    scaled = on_one_scale(titled)
    if len(scaled) != 2:
        return tuple(scaled)
    before, after = scaled
    contents = [_contents(t) for t in traces]
    return marked(before, after, contents[0], contents[1])


def _whole(d: Diagram) -> Diagram:
    """At its depth alone: marks are of these boxes."""
    return replace(d, shorter=None, collapsed=None)


def _titles(models: Sequence[str], words: Sequence[str]) -> list[str]:
    """A title a diagram: the name, after a word; the word alone where the names are the same."""
    names = display_names(models)
    if not words:
        return names
    if len(set(names)) == 1:
        return list(words)
    return [f"{word}: {name}" for word, name in zip(words, names, strict=True)]


def _contents(trace: Trace) -> Callable[[Box], tuple[object, ...]]:
    """What runs in a box of a trace: in a layer its own operation, and what is inside it."""
    nodes = layer_graph(trace)

    def runs(box: Box) -> tuple[object, ...]:
        if box.kind == "block":
            return tuple(operation(trace, op) for n in box.nodes for op in nodes[n].ops)
        own = (nodes[n].op for n in box.nodes)
        return (box.inside, *(operation(trace, op) for op in own if op))

    return runs


def marked(
    before: Diagram,
    after: Diagram,
    runs_before: Callable[[Box], object],
    runs_after: Callable[[Box], object],
) -> tuple[Diagram, Diagram]:
    """Both with marks on the boxes that only one of them has, or that are not the same; what runs
    in a box of either is given by a function."""
    keys = [
        [(b.name, b.size, b.params, b.macs, runs(b)) for b in d.boxes]
        for d, runs in ((before, runs_before), (after, runs_after))
    ]
    marks: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for kind, i, j, k, n in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if kind != "equal":
            old, new = before.boxes[i:j], after.boxes[k:n]
            pairs = _counterparts(old, new)
            marks[0].update((b.id, "changed" if b.id in pairs else "removed") for b in old)
            marks[1].update((b.id, "changed" if b.id in pairs.values() else "added") for b in new)
    return _with(before, marks[0]), _with(after, marks[1])


def _counterparts(old: Sequence[Box], new: Sequence[Box]) -> dict[str, str]:
    """Boxes of both sides, by id, that stand for one another: of the same row of the table, then
    called the same, then of one kind, in their order."""
    pairs: dict[str, str] = {}
    for key in _ALIKE:
        a = [b for b in old if b.id not in pairs]
        z = [b for b in new if b.id not in pairs.values()]
        found = SequenceMatcher(None, [key(b) for b in a], [key(b) for b in z], autojunk=False)
        for i, j, size in found.get_matching_blocks():
            pairs.update(
                (x.id, y.id) for x, y in zip(a[i : i + size], z[j : j + size], strict=True)
            )
    return pairs


_ALIKE: tuple[Callable[[Box], str], ...] = (lambda b: b.id, lambda b: b.text, lambda b: b.kind)


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
    note = notes.most_expensive(SHOWN, left)
    model = traces[0].provenance["model"]
    both = [
        _beside([_of_path(t, p) for p in paths_shown], t, f"{word}: {model}", note)
        for t, word in zip(traces, ("before", "after"), strict=True)
    ]
    before, after = on_one_scale(both)
    return before, after


def _of_path(trace: Trace, path: str) -> Diagram:
    """The layers of one path, its input named after it."""
    d = diagram(trace, module=path, style="cost", convention="macs")

    def named(box: Box) -> Box:
        return replace(box, text=f"{path}: input") if box.kind == "input" else box

    return replace(d, boxes=tuple(map(named, d.boxes)))


def _beside(parts: Sequence[Diagram], trace: Trace, title: str, note: str) -> Diagram:
    """Several diagrams of a trace as branches of one."""
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
        collapsed=None,
    )
    return replace(
        both, notes=tuple(filter(None, (*_briefly(both, trace, whole=False).notes, note)))
    )


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

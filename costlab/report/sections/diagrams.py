"""The networks as blocks, and one module opened."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ...analysis.diagram import diagram
from ...graph import layer_graph
from ...render.document import Picture, Ref, Text
from ..context import About, Context
from ..links import box_links
from ..opening import open_blocks
from ..pieces import Block, drawn


def diagrams(c: Context) -> list[Block]:
    """A diagram a model, and the most expensive module of the first."""
    found: list[Block] = [_network(m, ident, m is c.models[0]) for m, ident in c.idents("blocks")]
    found += _opened(c.models[0])
    refs = tuple(Ref(p.id, "", "") for p in found if isinstance(p, Picture))
    return [
        Text(("The blocks of the table as they are connected: ", *_separated(refs), ".")),
        *found,
    ]


def _separated(refs: tuple[Ref, ...]) -> list[str | Ref]:
    """References with commas between them."""
    return [part for i, ref in enumerate(refs) for part in ((", ", ref) if i else (ref,))]


def _network(m: About, ident: str, linked: bool) -> Block:
    caption = f"{m.name} as blocks; bars are shares of all its MACs"
    d = diagram(m.trace)
    rows = m.table.rows if linked else ()
    picture = drawn(
        d, id=ident, caption=caption, network=True, links=box_links(m.trace, rows, d.boxes)
    )
    return replace(picture, opened=partial(open_blocks, m.trace, d, rows))


def _opened(m: About) -> list[Block]:
    """The module of parallel branches with the most MACs, where the table is of modules."""
    t, nodes = m.table, layer_graph(m.trace)
    if t.style != "paper":
        return []
    forks = [r for r in t.rows if nodes[max(r.nodes)].kind == "cat"]
    if not forks:
        return []
    row = max(forks, key=lambda r: r.macs)
    try:
        d = diagram(m.trace, module=row.id)
    except ValueError:  # a fork that is not a module of its own has no path to open
        return []
    caption = f"The most expensive module of {m.name}, {row.cells['type']}, opened"
    return [drawn(d, id="module", caption=caption)]

"""A branch of a fork in the words of the papers' column headers: `#3x3 reduce`, `#3x3`,
`double #3x3`, `#1x7+7x1`, `pool proj`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...graph import WEIGHTED, Branch, Node
from ..groups import rate_of, x

NAMED = 8  # layers of a branch that a column header names

Cell = tuple[str, int | str]  # a column and its value


def branch_cells(branch: Branch, only_max: bool) -> list[Cell]:
    """The cells of one branch, read as the papers' tables read it. `only_max`: all pools of
    branches are max pools before a projection, so that no cell says so."""
    if not branch.nodes:
        return [("pass through", "yes")]
    if len(branch.nodes) > NAMED:
        return [("other branch", _long(branch))]
    if branch.subs:
        return _forked(branch)
    chain = branch.chain
    if projection := _pool_projection(chain, only_max):
        return [("pool proj", projection)]
    if any(n.kind != "conv" or n.groups > 1 for n in chain):
        weighted = [n for n in chain if n.kind in WEIGHTED]
        return [("#" + "+".join(map(_name, chain)), _widths(weighted or chain[-1:]))]
    return _convolutions(chain)


def _long(branch: Branch) -> str:
    """A branch that no header can name: how many layers, and the last width."""
    weighted = [n for n in branch.nodes if n.kind in WEIGHTED]
    last = (weighted or branch.nodes)[-1]
    return f"{len(branch.nodes)} layers→{last.width}"


def _forked(branch: Branch) -> list[Cell]:
    """A branch that forks again, as Inception-v3's last modules do: `#3x3+{1x3, 3x1}`."""
    reduces = bool(branch.chain) and branch.chain[0].pointwise
    chain = branch.chain[1:] if reduces else branch.chain
    inner = ", ".join("+".join(map(_name, s.nodes)) for s in branch.subs)
    name = "#" + "+".join([*map(_name, chain), "{" + inner + "}"])
    ends = "+".join(str(_widths(s.nodes)) for s in branch.subs)
    cell = (name, f"{_widths(chain)}→{ends}" if chain else ends)
    return [(f"{name} reduce", branch.chain[0].width), cell] if reduces else [cell]


def _pool_projection(chain: Sequence[Node], only_max: bool) -> int | str | None:
    """The cell of a pool, alone or with a projection; None for another branch."""
    if not chain[0].kind.endswith("pool"):
        return None
    kind = chain[0].kind.split()[0]
    if len(chain) == 1:
        return f"{kind} + pass through"
    if len(chain) == 2 and chain[1].pointwise:
        return chain[1].width if only_max else f"{kind} + {chain[1].width}"
    return None


def _convolutions(chain: Sequence[Node]) -> list[Cell]:
    """A run of plain convolutions, after a 1x1 that reduces."""
    reduces = chain[0].pointwise and len(chain) > 1
    body = chain[1:] if reduces else chain
    name = _run([_name(n) for n in body])
    cell = (name, _widths(body))
    return [(f"{name} reduce", chain[0].width), cell] if reduces else [cell]


def _run(kernels: list[str]) -> str:
    """Kernel names in a row as the papers' headers: 3x3; double #3x3; 1x7+7x1; double #1x7+7x1."""
    for times, word in ((2, "double"), (3, "triple")):
        part = kernels[: len(kernels) // times]
        if len(kernels) > 1 and part * times == kernels:
            return f"{word} #{'+'.join(part)}"
    return "#" + "+".join(kernels)


def _widths(nodes: Iterable[Node]) -> int | str:
    """The filters a cell prints: the last layer's, with the earlier ones before an arrow where they
    differ."""
    widths = [n.width for n in nodes]
    return widths[-1] if len(set(widths)) == 1 else "→".join(map(str, dict.fromkeys(widths)))


def _name(node: Node) -> str:
    """A layer in a header: its kernel, or what it is."""
    if node.kind != "conv":
        return node.kind
    rate = f" dilated {rate_of(node)}" if set(node.dilation) - {1} else ""
    if node.groups == 1:
        return x(node.kernel) + rate
    if node.groups == node.in_shape[1]:
        return f"{x(node.kernel)} depthwise{rate}"
    return f"{x(node.kernel)} groups {node.groups}{rate}"

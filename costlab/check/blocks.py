"""The blocks of a traced model and those of the lock file: which are the same under another name,
and which are behind a limit that is broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..analysis.budget import Behind, BlockFigure, most_first
from ..analysis.limits import Called, Figures, Limit, called_in_both, is_inside
from .figures import OF_BLOCKS, leaves

# by which figure of the blocks, of those in a lock file, a change of a quantity is explained
_EXPLAINED_BY = {
    "params": "params",
    "macs": "macs",
    "flops": "macs",
    "integer-macs": "macs",
    "time": "macs",
    "activations": "activations",
    "bytes": "activations",
    "peak": "activations",
}
_MOST = 3  # blocks that explain a failure


def called_in(block: str, parts: Sequence[str], head: Figures, base: Figures | None) -> Called:
    """What a limit's block is called in the lock file, and in the model, where one of them has it
    under another name; `parts` are those of the model."""
    known = set(head.blocks)
    if base is None or not block or (block in base.blocks) == (block in known):
        return Called(block, block)
    pairs = ((was, now) for now, was in _renamed(parts, head, base).items())
    return called_in_both(block, base.blocks, known, pairs)


def blocks_behind(
    limit: Limit, called: Called, parts: Sequence[str], head: Figures, base: Figures | None
) -> Behind | None:
    """The blocks in the limit's block that changed most in the direction that breaks it, or that
    have most where none did or there is no base. None where blocks do not explain the quantity."""
    quantity = _EXPLAINED_BY.get(limit.quantity)
    if quantity is None:
        return None
    if base is None:
        figures = [BlockFigure(part, head.figure(quantity, part) or 0) for part in parts]
    else:
        figures = list(_compared(quantity, parts, head, base))
    inside = [f for f in figures if any(_strictly_inside(f.block, name) for name in set(called))]
    return Behind(quantity, most_first(limit, inside)[:_MOST])


def _strictly_inside(path: str, block: str) -> bool:
    return path != block and is_inside(path, block)


def _compared(
    quantity: str, parts: Sequence[str], head: Figures, base: Figures
) -> Iterator[BlockFigure]:
    """The parts of the head as the base has them too, then the base's blocks that are gone."""
    names = _names(parts, head, base)
    known = set(head.blocks)
    for name, was in names.items():
        now = head.figure(quantity, name) if name in known else None
        yield BlockFigure(name, now or 0, _before(base, quantity, was))
    paired = [*names, *names.values()]
    for block in base.blocks:
        if not any(is_inside(block, name) or is_inside(name, block) for name in paired):
            yield BlockFigure(block, 0, _before(base, quantity, block))


def _names(parts: Sequence[str], head: Figures, base: Figures) -> dict[str, str]:
    """Block -> what the base calls it. A part that the base does not have inside a block that it
    has is that block."""
    renamed = _renamed(parts, head, base)
    names: dict[str, str] = {}
    for part in parts:
        around = [b for b in base.blocks if part.startswith(f"{b}.")]
        if part in renamed:
            names[part] = renamed[part]
        elif part in base.blocks or not around:
            names[part] = part
        else:
            name = max(around, key=len)
            names[name] = name
    return names


def _renamed(parts: Sequence[str], head: Figures, base: Figures) -> dict[str, str]:
    """Part of the head -> the block of the base that is gone and has the same figures. Of several
    the one with the same last name, then the first."""
    known = set(head.blocks)
    gone: dict[tuple[float, ...], list[str]] = {}
    for block in leaves(b for b in base.blocks if b not in known):
        gone.setdefault(_signature(base, block), []).append(block)
    new = {part: _signature(head, part) for part in parts if part not in base.blocks}
    found: dict[str, str] = {}
    for same_name in (True, False):
        for part, signature in new.items():
            left = gone.get(signature, []) if part not in found and any(signature) else []
            was = next((b for b in left if not same_name or _last(b) == _last(part)), None)
            if was is not None:
                left.remove(was)
                found[part] = was
    return found


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _signature(figures: Figures, block: str) -> tuple[float, ...]:
    """The figures that every block of a lock file has."""
    return tuple(figures.figure(name, block) or 0 for name in OF_BLOCKS)


def _before(base: Figures, quantity: str, block: str) -> float:
    """What a block had: as recorded, or what the recorded blocks inside it had; 0 if it is new."""
    value = base.figure(quantity, block)
    if value is not None:
        return value
    inside = [b for b in base.blocks if b.startswith(f"{block}.")]
    return sum(base.figure(quantity, b) or 0 for b in leaves(inside))

"""Loops over time as they are drawn: one step, the modules that it runs as one box each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...graph.blocks import Block, shared_path
from .placement import Placement
from .result import Part
from .units import Unit


def in_a_loop(placement: Placement, block: Block) -> bool:
    """Whether a block holds layers that a loop over time runs at each of its steps."""
    return any(placement.found.all[u].looped for u in placement.all_of(block))


def cells(placement: Placement, block: Block, depth: int) -> list[Part]:
    """The boxes of a block that holds a loop: one for each module that the loop runs, opened to
    `depth`, and for each layer outside of these."""
    units = placement.open_of(block)
    paths = [unit.own.module for unit in _looped(placement, units) if unit.own]
    level = max(len(shared_path(paths)) if any(paths) else 0, 1) + depth
    return [_box(placement, path, group) for path, group in _groups(placement, units, level)]


def _looped(placement: Placement, units: Iterable[int]) -> Iterator[Unit]:
    """Those of the units that a loop runs again."""
    return (placement.found.all[u] for u in units if placement.found.all[u].looped)


def _groups(
    placement: Placement, units: Sequence[int], level: int
) -> Iterator[tuple[str, list[int]]]:
    """Units by the modules that they are in, whose paths have `level` names; more where what
    happens outside of a module lies between what happens in it."""
    groups: dict[str | int, list[int]] = {}
    for u in units:
        groups.setdefault(_module(placement.found.all[u], level) or u, []).append(u)
    for path, group in groups.items():
        if len(group) < 2:
            yield "", group
        elif _is_left_and_entered_again(placement, group, units):
            yield from _groups(placement, group, level + 1)
        else:
            yield str(path), group


def _is_left_and_entered_again(
    placement: Placement, group: Sequence[int], units: Sequence[int]
) -> bool:
    """Whether a path through `units` leads from a group out of it and back."""
    inside, outside = set(group), set(units) - set(group)
    readers = placement.found.readers
    reached = set[int]()
    front = {r for u in group for r in readers[u]} & outside
    while front:
        reached |= front
        following = {r for u in front for r in readers[u]}
        if not following.isdisjoint(inside):
            return True
        front = (following & outside) - reached
    return False


def _box(placement: Placement, path: str, units: Sequence[int]) -> Part:
    if not path:
        return placement.box(units)
    return placement.box(units, name=_type(placement, path, units) or path)


def _module(unit: Unit, level: int) -> str:
    """The module of a loop, at this level, that a unit is drawn with; "" for none."""
    path = unit.own.module.split(".") if unit.looped and unit.own else []
    return ".".join(path[:level]) if len(path) >= level else ""


def _type(placement: Placement, path: str, units: Iterable[int]) -> str:
    """The class of a module, where it runs an operation itself; otherwise ""."""
    ops = (op for u in units for op in placement.found.all[u].ops)
    return next((op.module_type for op in ops if op.module == path), "")

"""Blocks in a row: those of one module become a chain, and runs of alike ones a repeat."""

from __future__ import annotations

from .maker import BlockMaker, shared_path
from .record import Block

_PERIOD = 8  # blocks in a row that repeat together


def group_by_module(maker: BlockMaker, steps: list[Block]) -> list[Block]:
    """Layers without a shortcut in a row that share a module at the depth of the residual blocks
    are one chain (the strided blocks of mobile networks)."""
    depths = [b.path.count(".") + 1 for b in steps if b.kind == "residual" and b.path]
    level = min(depths, default=99)
    found: list[list[Block]] = []
    for block in steps:
        path = block.path.split(".")[:level]
        last = found[-1][-1] if found else None
        joins = (
            last is not None
            and len(path) == level
            and "residual" not in (block.kind, last.kind)
            and last.path.split(".")[:level] == path
        )
        if joins:
            found[-1].append(block)
        else:
            found.append([block])
    return [maker.chain(group) for group in found]


def join_repeats(maker: BlockMaker, steps: list[Block]) -> list[Block]:
    """With runs of alike blocks as one: alike in a row, or several that alternate."""
    keys = [maker.key(b) for b in steps]
    found: list[Block] = []
    i = 0
    while i < len(steps):
        period, times = _run(steps, keys, i)
        if times < 2:
            found.append(steps[i])
            i += 1
            continue
        groups = [steps[i + k * period : i + (k + 1) * period] for k in range(times)]
        found.append(maker.repeat([maker.chain(g) for g in groups]))
        i += period * times
    return found


def _run(steps: list[Block], keys: list[tuple[object, ...]], start: int) -> tuple[int, int]:
    """(blocks that repeat together, how often) of the run at `start` that takes in most blocks;
    single layers alone are not a run."""
    best = (1, 1)
    for period in range(1, min(_PERIOD, (len(steps) - start) // 2) + 1):
        if all(b.kind == "layer" for b in steps[start : start + period]):
            continue
        if _straddles(steps[start : start + period], steps[start + period]):
            continue
        unit, times = keys[start : start + period], 1
        while keys[start + times * period : start + (times + 1) * period] == unit:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _straddles(unit: list[Block], after: Block) -> bool:
    """Whether a module that the unit ends in goes on after it."""
    across = shared_path([unit[-1].path, after.path])
    return len(unit) > 1 and len(across) > len(shared_path([b.path for b in unit]))

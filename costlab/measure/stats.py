"""Medians with bootstrap intervals, and which measured operation stands for which traced one."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from ..cost import VIEWS
from ..trace import Timing

RESAMPLES = 1000
OpPlace = tuple[str, str, int]  # an operation: its name, its module and the call of that


def timing(samples: Iterable[float], seed: int = 0) -> Timing:
    """Median, 95% percentile-bootstrap interval of the median (Efron 1979) and interquartile range
    of seconds.

    Raises ValueError for no samples."""
    samples = sorted(samples)
    if not samples:
        raise ValueError("no samples to take a median of")
    middle = statistics.median(samples)
    if len(samples) == 1:
        return Timing(middle, middle, middle, 0.0, 1)
    draw = random.Random(seed)
    medians = sorted(
        statistics.median(draw.choices(samples, k=len(samples))) for _ in range(RESAMPLES)
    )
    quarters = statistics.quantiles(samples, n=4, method="inclusive")
    return Timing(
        middle,
        medians[round(0.025 * (RESAMPLES - 1))],
        medians[round(0.975 * (RESAMPLES - 1))],
        quarters[2] - quarters[0],
        len(samples),
    )


def differ(a: Timing, b: Timing) -> bool:
    """Whether two medians differ: their intervals do not meet."""
    return a.high < b.low or b.high < a.low


def align(measured: Sequence[OpPlace], traced: Sequence[OpPlace]) -> list[int]:
    """For each measured operation, as (name, module, call), the index of the traced one that it
    stands for: in its module call the one of the same name in order, otherwise (a fused form) the
    one that the plain form has at that place; -1 for a module call that the trace does not know."""
    places: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
    for side, ops in enumerate((measured, traced)):
        for i, (_, module, call) in enumerate(ops):
            places.setdefault((module, call), ([], []))[side].append(i)
    found = [-1] * len(measured)
    for mine, theirs in places.values():
        if not mine or not theirs:
            continue
        names = [[ops[i][0] for i in side] for ops, side in ((measured, mine), (traced, theirs))]
        for kind, a0, a1, b0, b1 in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
            free = list(range(b0, b1)) or [min(b0, len(theirs) - 1)]
            for k in range(a0, a1):
                place = b0 + k - a0 if kind == "equal" else _kin(names[0][k], names[1], free)
                found[mine[k]] = theirs[place]
                free = [i for i in free if i > place] or free[-1:]
    return found


def _kin(name: str, names: Sequence[str], free: Sequence[int]) -> int:
    """Of the places `free`, the first operation whose name says the same (batch_norm,
    native_batch_norm), otherwise the first that does work."""

    def plain(full: str) -> str:
        return full.rpartition(".")[2].strip("_")

    same = (
        i
        for i in free
        if plain(name) in plain(names[i])
        or plain(names[i]) in plain(name)
        and len(plain(names[i])) > 2
    )
    work = (i for i in free if names[i] not in VIEWS and not plain(names[i]).startswith("empty"))
    return next(same, next(work, free[0]))

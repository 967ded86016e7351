"""Both sides of each rule, found among measured runs.

Both sides of a rule are measured traces of the same device, dtype, layout and input. Time is that
of the whole module without the host's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...cost import total
from ...measure.runs import Run
from ...trace import Measured, Trace
from ..factorize import RULES, slug
from ..grid import schemes
from .record import Saving, Savings, Side

FRONT_DEVICE = "h200"  # whose numbers README opens with


def factorization_savings(runs: Iterable[Run]) -> tuple[Savings, ...]:
    """The rules of factorization, for each set of conditions that has both sides."""
    return _by_conditions(runs, [(name, *slug(name)) for _, _, name in RULES])


def grid_savings(runs: Iterable[Run]) -> tuple[Savings, ...]:
    """The grid-reduction schemes against convolution then pool, for each set of conditions."""
    names = [name for name, _ in schemes(35, 320, 640)]
    base = names[1]
    pairs = [(name, slug(base)[0], slug(name)[0]) for name in names if name != base]
    return _by_conditions(runs, pairs, base)


def front_first(found: Sequence[Savings]) -> tuple[Savings, ...]:
    """The same, with the conditions of the front page first: fp32, NCHW and the smallest input
    where it was measured, as runs are ordered, on `FRONT_DEVICE` where that has it."""
    if not found:
        return ()
    first = found[0].run
    wanted = (FRONT_DEVICE, first.dtype, first.layout, first.inputs)
    return tuple(
        sorted(
            found, key=lambda s: (s.run.device, s.run.dtype, s.run.layout, s.run.inputs) != wanted
        )
    )


def _by_conditions(
    runs: Iterable[Run], pairs: list[tuple[str, str, str]], base: str = ""
) -> tuple[Savings, ...]:
    runs = tuple(runs)
    groups: dict[tuple[object, ...], dict[str, Run]] = {}
    for run in runs:
        groups.setdefault((*run.conditions, run.name.inputs), {})[run.name.model] = run
    found: list[Savings] = []
    for group in groups.values():
        rules = tuple(_measured(group, pairs))
        if rules:
            some = next(iter(group.values()))
            device = _measurement(some.trace).conditions["device"]
            found.append(Savings(some.name, device, rules, base))
    return tuple(found)


def _measured(group: dict[str, Run], pairs: list[tuple[str, str, str]]) -> Iterator[Saving]:
    for name, before, after in pairs:
        if before in group and after in group:
            yield Saving(name, side(group[before].trace), side(group[after].trace))


def _measurement(trace: Trace) -> Measured:
    if trace.measured is None:
        raise ValueError(f"{trace.provenance['model']} was not measured")
    return trace.measured


def side(trace: Trace) -> Side:
    """What a measured trace says of one side. Raises ValueError for one that was not measured."""
    m, cost = _measurement(trace), total(trace)
    peak = m.ceilings.get(m.conditions.get("product", ""), m.ceilings["float32"])
    bandwidth = m.ceilings["bandwidth"]
    counted = memory_bound = uncounted = 0.0
    flops = moved = 0
    for o in m.ops:
        work = total(trace, [trace.ops[o.of]]) if o.of >= 0 else None
        if work is None or not work.macs:
            uncounted += o.seconds
            continue
        counted += o.seconds
        flops, moved = flops + work.flops, moved + o.bytes
        if work.flops / o.bytes < peak / bandwidth:
            memory_bound += o.seconds
    return Side(
        macs=cost.macs,
        flops=cost.flops,
        time=m.total,
        peak=peak,
        bandwidth=bandwidth,
        steps=sum(1 for o in m.ops if o.seconds),
        counted=counted,
        memory_bound=memory_bound,
        uncounted=uncounted + m.other,
        intensity=flops / moved if moved else 0.0,
    )

"""Parts of a tensor, its parts moved, and positions that values decide."""

from __future__ import annotations

from .record import Plan, Reduce, Reshape, Scatter, Windows
from .registry import Case, ints, places, plain, rule, taken


@rule("slice")
def _slice(case: Case) -> Plan | None:
    d, step = case.dim(), case.attr("step", 1)
    n = case.shapes[0][d]
    start = case.attr("start", 0)
    start = min(n, max(0, start + n if start < 0 else start))
    return plain(taken(d, start + step * places(case.out[d]), step))


@rule("narrow")
def _narrow(case: Case) -> Plan | None:
    d = case.dim()
    return plain(taken(d, case.attr("start", 0) + places(case.out[d])))


@rule("select")
def _select(case: Case) -> Plan | None:
    d = case.dim()
    return plain(taken(d, [case.attr("index", 0) % case.shapes[0][d]]), Reduce((d,), False))


@rule("unbind")
def _unbind(case: Case) -> Plan | None:
    return plain(taken(case.dim(), [case.place]), Reduce((case.dim(),), False))


@rule("split", "split_with_sizes", "chunk", "tensor_split", "unsafe_split", "unsafe_chunk")
def _split(case: Case) -> Plan | None:
    """The parts of a split have the sizes given, or all but the last one size."""
    d = case.dim()
    sizes = case.attr("split_sizes", case.attr("split_size"))
    if sizes is None:
        n, parts = case.shapes[0][d], case.attr("chunks", len(case.op.outputs))
        sizes = -(-n // parts)
    start = case.place * sizes if isinstance(sizes, int) else sum(sizes[: case.place])
    return plain(taken(d, start + places(case.out[d])))


@rule("roll")
def _roll(case: Case) -> Plan | None:
    shifts = ints(case.attr("shifts"), len(case.attr("dims", (0,))), 0)
    if not case.attr("dims"):
        return None
    moves: list[Windows] = []
    for d, shift in zip(case.dims("dims"), shifts, strict=True):
        n = case.out[d]
        moves.append(taken(d, (places(n) - shift) % max(1, n)))
    return plain(*moves)


@rule("flip")
def _flip(case: Case) -> Plan | None:
    return plain(*(taken(d, places(case.out[d])[::-1], -1) for d in case.dims("dims")))


@rule("repeat", "tile")
def _repeat(case: Case) -> Plan | None:
    lead = len(case.out) - len(case.shapes[0])
    shape = (1,) * lead + case.shapes[0]
    moves = [Reshape(shape)] if lead else []
    moves += [
        taken(d, places(case.out[d]) % n) for d, n in enumerate(shape) if n != case.out[d] and n
    ]
    return plain(*moves)


@rule("index_select")
def _index_select(case: Case) -> Plan | None:
    d = case.dim()
    return plain(Scatter(d, case.out[d]))


@rule("index", "_unsafe_index", "gather", "take_along_dim")
def _index(case: Case) -> Plan | None:
    """Positions by value: along the dimensions whose size stays, the elements stay where they are
    as far as one can tell."""
    shape = case.shapes[0]
    if len(shape) != len(case.out):
        return None
    one = [d for d, n in enumerate(shape) if n != case.out[d]]
    if case.op.name != "aten.gather" and len(one) > 1:
        return None
    dims = (case.dim(),) if case.op.name == "aten.gather" else one or range(len(shape))
    return plain(*(Scatter(d, case.out[d]) for d in dims))


@rule("grid_sampler_2d", "grid_sampler_3d", "cudnn_grid_sampler")
def _sampled(case: Case) -> Plan | None:
    return plain(*(Scatter(d, case.out[d]) for d in range(2, len(case.out))))

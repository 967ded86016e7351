"""The same elements in another shape or order of dimensions."""

from __future__ import annotations

from math import prod

from .record import Insert, Permute, Plan, Reduce, Reshape
from .registry import Case, places, plain, rule, taken


@rule("view", "_unsafe_view", "reshape", "_reshape_alias", "flatten", "unflatten")
@rule("_reshape_copy", "view_as_real", "view_as_complex")
def _view(case: Case) -> Plan | None:
    return plain(Reshape(case.out)) if prod(case.shapes[0]) == prod(case.out) else None


@rule("unsqueeze")
def _unsqueeze(case: Case) -> Plan | None:
    return plain(Insert(case.attr("dim", 0) % len(case.out)))


@rule("squeeze")
def _squeeze(case: Case) -> Plan | None:
    given = case.dims() if "dim" in case.op.attrs else range(len(case.shapes[0]))
    return plain(Reduce(tuple(d for d in given if case.shapes[0][d] == 1), False))


@rule("permute")
def _permute(case: Case) -> Plan | None:
    return plain(Permute(tuple(d % len(case.out) for d in case.attr("dims"))))


@rule("t", "numpy_T", "transpose")
def _transpose(case: Case) -> Plan | None:
    n = len(case.out)
    if n < 2:
        return plain()
    a, b = case.attr("dim0", 0) % n, case.attr("dim1", 1) % n
    order = list(range(n))
    order[a], order[b] = b, a
    return plain(Permute(tuple(order)))


@rule("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle")
def _shuffle(case: Case) -> Plan | None:
    *lead, c, h, w = case.shapes[0]
    n = len(lead)
    if case.op.name.endswith("channel_shuffle"):
        groups = case.attr("groups")
        taps = places(c).reshape(groups, c // groups).T.ravel()
        return plain(taken(n, taps))
    if case.op.name.endswith("unshuffle"):
        r = case.attr("downscale_factor")
        apart, order = (*lead, c, h // r, r, w // r, r), (n, n + 2, n + 4, n + 1, n + 3)
    else:
        r = case.attr("upscale_factor")
        apart, order = (*lead, c // r**2, r, r, h, w), (n, n + 3, n + 1, n + 4, n + 2)
    return plain(Reshape(apart), Permute((*range(n), *order)), Reshape(case.out))


@rule("tril", "triu", "as_strided", "resize")
def _same_shape(case: Case) -> Plan | None:
    return plain() if case.shapes[0] == case.out else None

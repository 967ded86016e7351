"""Several positions into one, or each from all."""

from __future__ import annotations

from .pointwise import pointwise
from .record import Mix, Plan, Reduce
from .registry import Case, plain, rule


@rule(
    "mean", "sum", "amax", "amin", "prod", "var", "std", "linalg_vector_norm", "norm", "logsumexp"
)
@rule("max", "min", "argmax", "argmin", "var_mean", "std_mean", "median", "any", "all", "nansum")
def _reduce(case: Case) -> Plan | None:
    data, *others = case.shapes
    if others:
        return pointwise(case)  # max and min of two tensors
    return plain(Reduce(case.dims(), len(case.out) == len(data)))


@rule("topk", "kthvalue")
def _topk(case: Case) -> Plan | None:
    d = case.dim(default=-1)
    return plain(Mix(d, case.out[d])) if len(case.out) == len(case.shapes[0]) else None


@rule("_fft_r2c", "_fft_c2r", "_fft_c2c")
def _fft(case: Case) -> Plan | None:
    return plain(*(Mix(d, case.out[d]) for d in case.dims()))

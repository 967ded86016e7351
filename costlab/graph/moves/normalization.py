"""Normalizations, softmax and running sums: a dimension is mixed with itself."""

from __future__ import annotations

from .record import Plan
from .registry import Case, ints, plain, rule, spread


@rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training")
@rule(
    "batch_norm",
    "cudnn_batch_norm",
    "_batch_norm_with_update",
    "_native_batch_norm_legit_functional",
)
def _batch_norm(case: Case) -> Plan | None:
    """A statistic of the channel, which belongs to no position; that of an instance norm is taken
    over the grid."""
    if case.place:
        return None
    alone = case.op.module_type.startswith("Instance")
    mixed = spread(case, range(2, len(case.out))) if alone else ()
    return plain(*mixed, roles=((1, "channel"),))


@rule("native_layer_norm", "layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(case: Case) -> Plan | None:
    if case.place:
        return None
    n = len(ints(case.attr("normalized_shape"), len(case.attr("normalized_shape", (1,)))))
    last = len(case.out) - 1
    roles = ((last, "channel"),) if n == 1 else ()
    return plain(*spread(case, range(len(case.out) - n, len(case.out))), roles=roles)


@rule("native_group_norm", "group_norm")
def _group_norm(case: Case) -> Plan | None:
    if case.place:
        return None
    return plain(*spread(case, range(1, len(case.out))), roles=((1, "channel"),))


@rule("_softmax", "_safe_softmax", "_log_softmax", "softmax", "log_softmax", "cumsum", "cumprod")
@rule("sort", "argsort", "logcumsumexp", "cummax", "cummin")
def _along(case: Case) -> Plan | None:
    return plain(*spread(case, (case.dim(default=-1),)))


@rule("_weight_norm_interface", "renorm")
def _of_parameters(case: Case) -> Plan | None:
    return None

"""Limits on what a model costs, as assertions."""

from __future__ import annotations

from typing import Any

from ..predict import AnyProfile, AnyRate
from ..trace import Trace
from ._arguments import public
from ._models import trace


@public
def assert_cost(
    model: Any,
    inputs: Any = None,
    *limits: str,
    base: Any = None,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
    **quantities: str,
) -> Trace:
    """Assert that a model keeps limits, as in `assert_cost(model, inputs, macs="<= 2.1G")`.

    Args:
        model, inputs: as `costlab.trace` takes them; a trace, such as a measured one, without
            inputs.
        limits: whole expressions, as "stages.2: macs <= 300M" for one block.
        base: an earlier version, as `model`, for limits such as params="<= +1%"; a module runs on
            the same inputs. The message says which blocks grew against it.
        profile: of a device, as `costlab.table` takes it, for limits on the time that it predicts,
            such as predicted_ms="<= 3".
        rate: price of an hour of the device, as `costlab.table` takes it, for limits on the price
            of a million inputs, such as predicted_price="<= 2".
        quantities: a limit for each quantity: params, macs, integer_macs, flops, activations,
            bytes, peak (bytes), receptive_field, and time of a measured trace.

    Returns the trace.

    Raises AssertionError where a limit is not met, with the figures and the blocks they come from;
    ValueError for no limits, for one that cannot be read, and for one that the traces cannot
    answer; what `costlab.trace` raises."""
    __tracebackhide__ = True
    from ..analysis.budget import require
    from ..analysis.limits import parse

    parsed = [parse(text) for text in limits]
    parsed += [parse(f"{name} {text}") for name, text in quantities.items()]
    if not parsed:
        raise ValueError(
            'assert_cost has no limit to assert; give one, as macs="<= 2.1G", params="<= +1%"'
        )
    head = trace(model, inputs, profile=profile, rate=rate)
    given = inputs if hasattr(base, "named_parameters") else None
    earlier = None if base is None else trace(base, given, profile=profile, rate=rate)
    require(parsed, head, earlier)
    return head

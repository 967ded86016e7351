"""costlab's own networks by name, on the inputs of their papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import zoo
from ..cost import total
from ..zoo.deviation import Deviation
from ._inputs import parse, shape_text
from ._model import Definition, Source

if TYPE_CHECKING:
    from torch import nn


def _find(name: str) -> Definition:
    def build(**arguments: Any) -> nn.Module:
        return zoo.build(name, **arguments)

    return Definition(
        build,
        lambda model: parse([shape_text(zoo.input_shape(name))]),
        lambda model: zoo.names()[name],
        notes=lambda model: tuple(map(_said, zoo.deviations(name))),
    )


def _said(deviation: Deviation) -> str:
    """What differs from the paper's drawing, and what that changes in one such module."""
    from ..trace.build import traced  # torch; names are looked up without it

    built, drawn = (
        total(traced(make, deviation.input)) for make in (deviation.built, deviation.drawn)
    )
    if (built.params, built.macs) == (drawn.params, drawn.macs):
        return f"{deviation.text}: the same params and MACs"
    return (
        f"{deviation.text}: {drawn.params - built.params:+,} params and "
        f"{drawn.macs - built.macs:+,} MACs as drawn"
    )


SOURCE = Source("zoo name", lambda spec: spec in zoo.names(), _find)

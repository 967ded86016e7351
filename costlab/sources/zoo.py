"""costlab's own networks by name, on the inputs of their papers."""

from __future__ import annotations

from .. import zoo
from ._inputs import parse, shape_text
from ._model import Definition, Source


def _find(name: str) -> Definition:
    return Definition(
        lambda **arguments: zoo.build(name, **arguments),
        lambda model: parse([shape_text(zoo.input_shape(name))]),
        lambda model: zoo.names()[name],
    )


SOURCE = Source("zoo name", lambda spec: spec in zoo.names(), _find)

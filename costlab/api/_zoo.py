"""The networks that costlab builds itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._result import Result
from ._arguments import public

if TYPE_CHECKING:
    from ..tables import Sheet


@dataclass(frozen=True)
class ZooModel:
    """A network of the zoo: the shape of its input (N, C, H, W), and the paper it is from."""

    name: str
    input: tuple[int, ...]
    source: str


@dataclass(frozen=True)
class ZooModels(Result):
    """The networks of the zoo."""

    models: tuple[ZooModel, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a network."""
        from ..tables import Column, Sheet

        columns = (Column("name"), Column("input"), Column("source"))
        rows = tuple(
            {"name": m.name, "input": "x".join(map(str, m.input)), "source": m.source}
            for m in self.models
        )
        return Sheet("the zoo", columns, rows)


@public
def models() -> ZooModels:
    """The networks of papers that costlab builds itself, by the name that `costlab.load` takes."""
    from .. import zoo

    return ZooModels(
        tuple(
            ZooModel(name, tuple(zoo.input_shape(name)), source)
            for name, source in zoo.names().items()
        )
    )

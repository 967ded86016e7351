"""What a limit is judged on: the figures of a model, whether a trace or a record has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from ...trace import Trace
from .quantities import block_names, measure_block


class Figures(Protocol):
    """The figures of one version of a model."""

    @property
    def blocks(self) -> Collection[str]:
        """The module paths that a limit may name."""
        ...

    def figure(self, quantity: str, block: str = "") -> float | None:
        """A quantity of a block, "" for the whole model, in its unit; None where it is not
        known."""
        ...


@dataclass(frozen=True)
class TraceFigures:
    """The figures of a trace, computed when they are asked for."""

    trace: Trace

    @property
    def blocks(self) -> tuple[str, ...]:
        """The modules that run operations, and those around them."""
        return block_names(self.trace)

    def figure(self, quantity: str, block: str = "") -> float | None:
        """A quantity of a block; None where the trace does not have it."""
        return measure_block(self.trace, quantity, block)


def figures_of(model: Trace | Figures) -> Figures:
    """The figures of a trace; figures as they are."""
    return TraceFigures(model) if isinstance(model, Trace) else model

"""A sweep of models: all configurations are counted, and the polynomials are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .configurations import ARGUMENT, Setup, Value
from .count import count
from .engines import Engine
from .polynomials import polynomials
from .result import Configuration, Sweep
from .run import run


def sweep(
    configurations: Sequence[Configuration],
    models: Sequence[str],
    axes: Mapping[str, Sequence[Value]],
    setup: Setup,
    *,
    engine: Engine | None = None,
    jobs: int = 1,
    journal: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Count the configurations, which `configurations` made of models, axes and setup. Where sizes
    of inputs alone vary, notes state the polynomials. Arguments and errors as of `run`."""
    named = ["model"] if len(models) > 1 else []
    result = run(
        configurations,
        count,
        engine=engine,
        jobs=jobs,
        journal=journal,
        axes=(*named, *axes),
        progress=progress,
    )
    if setup.phase or any(axis.startswith(ARGUMENT) for axis in axes):
        return result
    found = polynomials(models, list(axes), setup, result.outcomes)
    return replace(result, notes=(*result.notes, *found))

"""A sweep of models: all configurations are counted, and the polynomials are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...sources import factory_arguments
from . import notes
from .configurations import ARGUMENT, Setup, Value
from .count import count
from .engines import Engine
from .polynomials import polynomials
from .result import Configuration, Outcome, Sweep
from .run import run
from .sizes import SIZES


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
    rate: float | None = None,
) -> Sweep:
    """Count the configurations, which `configurations` made of models, axes and setup. Where sizes
    of inputs alone vary, notes state the polynomials. `rate`: price of an hour of the device, for
    the prices; outcomes in a journal hold for any. Arguments and errors as of `run`; ValueError
    for an argument of the factory that changes nothing."""
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
    if not setup.measure:  # the time may differ where no count does
        _require_effect(axes, result.outcomes)
    result = replace(result, rate=rate, notes=(*result.notes, *_of_the_input(models, axes)))
    if setup.phase or any(axis.startswith(ARGUMENT) for axis in axes):
        return result
    found = polynomials(models, list(axes), setup, result.outcomes)
    return replace(result, notes=(*result.notes, *found))


def _of_the_input(models: Sequence[str], axes: Iterable[str]) -> Iterator[str]:
    """Notes on axes that an argument of a factory has the name of."""
    sizes = [axis for axis in axes if axis in SIZES]
    for model in models if sizes else ():
        same = {*sizes}.intersection(factory_arguments(model))
        yield from (notes.of_the_input(size, model) for size in sizes if size in same)


def _require_effect(axes: Mapping[str, Sequence[Value]], outcomes: Sequence[Outcome]) -> None:
    """Raise ValueError for an argument of the factory whose values all give the same counts."""
    for axis, values in axes.items():
        if axis.startswith(ARGUMENT) and len(values) > 1 and _changes_nothing(axis, outcomes):
            raise ValueError(
                f"`over` {axis} changes nothing: params, MACs, activations and memory are the same "
                "for each of its values; leave it out"
            )


def _changes_nothing(axis: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether configurations that differ in one axis alone all have the same result; one that
    fails is another result."""
    first: dict[str, Any] = {}
    for outcome in outcomes:
        others = repr({k: v for k, v in outcome.configuration.items() if k != axis})
        if outcome.result is None or first.setdefault(others, outcome.result) != outcome.result:
            return False
    return True

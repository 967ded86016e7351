"""Models over batch, resolution, tokens and arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any

from ..predict import AnyProfile, AnyRate, Rate, as_profile, as_rate
from ._arguments import public
from ._models import CONTEXT

if TYPE_CHECKING:
    from ..analysis.sweep import Setup, Sweep
    from ..analysis.sweep.configurations import Value
    from ..analysis.sweep.engines import Engine
    from ..tables import Column


@public
def sweep(
    *models: str,
    over: Mapping[str, Iterable[Value]],
    inputs: str | Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: str = "auto",
    train: bool = False,
    phase: str | None = None,
    context: int = CONTEXT,
    batch: int = 1,
    measure: bool = False,
    dtype: str = "fp32",
    channels_last: bool = False,
    compile: bool = False,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
    jobs: int | None = None,
    engine: str = "local",
    scheduler: str | None = None,
    journal: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Cost, memory and time of each model at each combination of values, and where the sizes alone
    vary, the exact polynomial of the MACs.

    Args:
        models: names, as `costlab.load` takes them.
        over: values by axis: "batch", "resolution" (height and width in pixels), "height", "width",
            "tokens", or an argument of the factory, "arg.NAME" where it is called like a size.
            With a phase, "batch" and "context". At most 100,000 configurations in all.
        inputs, arguments, phase, context, batch: as `costlab.load` takes them.
        device: where to run: "auto", "cuda", "cpu" or "meta".
        train: count a training step.
        measure: run each configuration for real, one at a time; `dtype`, `channels_last` and
            `compile` as of `costlab.measure`.
        profile: of a device, as `costlab.table` takes it, by name or file; adds the predicted time
            of each configuration.
        rate: price of an hour of the device, as `costlab.table` takes it, for the price of a
            million inputs by the measured or predicted time.
        jobs: number of processes; None for the number of cores, or 1 with `measure`.
        engine: "local" processes, or "dask", a cluster of this machine or the one at `scheduler`.
        journal: a file to which each outcome is added as soon as it is computed; a call with the
            same file resumes the sweep.
        progress: called with (done, of).

    A configuration that fails is an outcome with its reason. Raises ValueError for axes and options
    that are not possible; ProfileError for a profile that cannot be read; SourceError for a model
    that cannot be built; JournalError, a ValueError, for a file that is not a journal; ImportError
    for "dask" without the dask extra."""
    from ..analysis import sweep as sweeping

    setup = sweeping.Setup(
        inputs=(inputs,) if isinstance(inputs, str) else tuple(inputs) if inputs else None,
        arguments=dict(arguments or {}),
        device=device,
        train=train,
        phase=phase or "",
        context=context,
        batch=batch,
        measure=measure,
        dtype=dtype,
        channels_last=channels_last,
        compile=compile,
        **_profile(profile),
    )
    _validate(models, setup, engine, scheduler)
    axes = _axes(over, setup, len(models))
    workers = _jobs(jobs, setup)
    wanted = sweeping.configurations(models, axes, setup, versions=journal is not None)
    return sweeping.sweep(
        wanted,
        models,
        axes,
        setup,
        engine=_engine(engine, scheduler, workers if len(wanted) > 1 else 0),
        jobs=workers,
        journal=None if journal is None else os.fspath(journal),
        progress=progress,
        rate=_rate(as_rate(rate), setup),
    )


def _rate(given: Rate | None, setup: Setup) -> float | None:
    """The price of an hour. Raises ValueError where no time is asked for that it prices, unless it
    is a fallback."""
    if given is None or setup.measure or setup.profile:
        return given and given.price
    if given.fallback:
        return None
    raise ValueError("`rate` prices a time; name a device with `profile`, or add `measure`")


def _profile(profile: AnyProfile | None) -> dict[str, Any]:
    """The fields of a `Setup` for a profile. Raises ProfileError, and ValueError for an object,
    which other processes cannot read."""
    if profile is None:
        return {}
    chosen = as_profile(profile)
    if not chosen.name:
        raise ValueError("a sweep runs in processes of its own; give `profile` by name or file")
    name = os.path.abspath(chosen.name) if os.path.exists(chosen.name) else chosen.name
    return {"profile": name, "profile_dtype": chosen.dtype, "profile_layout": chosen.layout}


def _axes(
    over: Mapping[str, Iterable[Value]], setup: Setup, models: int
) -> dict[str, Sequence[Value]]:
    """The values by axis, an argument's as "arg.NAME". Raises ValueError for no size, and for more
    configurations of so many models than a sweep runs."""
    from ..analysis.sweep import ARGUMENT

    axes: dict[str, Sequence[Value]] = {}
    for name, values in _few(over, models).items():
        if not values:
            raise ValueError(f"`over` {name} has no values")
        axis = _axis(name, setup.phase)
        if not axis.startswith(ARGUMENT) and not all(
            isinstance(v, int) and 0 < v < 10**9 for v in values
        ):
            raise ValueError(f"`over` {name}: sizes are integers from 1, of 9 digits at most")
        axes[axis] = values
    if not axes:
        raise ValueError('a sweep needs what varies: over={"batch": [1, 2, 4]}')
    return axes


def _few(over: Mapping[str, Iterable[Value]], models: int) -> dict[str, list[Value]]:
    """The values by axis. Raises ValueError, before it lists them, for more than a sweep runs."""
    from ..analysis.sweep import MOST

    counted = {name: _counted(given, MOST) for name, given in over.items()}
    wanted = models * prod(map(len, counted.values()))
    if wanted > MOST:
        raise ValueError(
            f"`over` asks for {wanted:,} configurations, and a sweep runs {MOST:,} at most; give "
            "larger steps or fewer values"
        )
    return {name: list(values) for name, values in counted.items()}


def _counted(given: Iterable[Value], most: int) -> Collection[Value]:
    """The values of an axis; of an iterator, which may have no end, one more than `most` at
    most."""
    if isinstance(given, (int, float, str)):
        return [given]
    return given if isinstance(given, Collection) else list(islice(given, most + 1))


def _axis(name: str, phase: str | None) -> str:
    """What the axis of a size or an argument is called."""
    from ..analysis.sweep import ARGUMENT, SIZES

    sizes = ("batch", "context") if phase else SIZES
    return name if name in sizes else ARGUMENT + name.removeprefix(ARGUMENT)


def sweep_columns(
    models: Sequence[str],
    over: Iterable[str],
    phase: str | None = None,
    *,
    measured: bool,
    predicted: bool,
    priced: bool,
) -> tuple[Column, ...]:
    """The columns that the table of a sweep can have, with times that are `measured` or
    `predicted`, and with prices."""
    from ..analysis.sweep import possible_columns

    named = ["model"] if len(models) > 1 else []
    axes = [*named, *(_axis(name, phase) for name in over)]
    return possible_columns(axes, measured=measured, predicted=predicted, priced=priced)


def _validate(models: Sequence[str], setup: Setup, engine: str, scheduler: str | None) -> None:
    """Raise ValueError where no model is named, and for options that do not go together."""
    if not models:
        raise ValueError('sweep takes a model: costlab.sweep("googlenet", over={"batch": [1, 2]})')
    if engine not in ("local", "dask"):
        raise ValueError(f"unknown engine {engine!r}; choose local or dask")
    if scheduler and engine != "dask":
        raise ValueError("`scheduler` applies to the Dask engine; add `engine=dask`")
    if not setup.measure and (setup.dtype != "fp32" or setup.channels_last or setup.compile):
        raise ValueError("`dtype`, `channels_last` and `compile` say how to measure; add `measure`")
    if setup.measure and setup.train:
        raise ValueError("`measure` times inference; leave out `train`")


def _jobs(jobs: int | None, setup: Setup) -> int:
    """How many configurations run at a time. Raises ValueError for options that cannot be."""
    found = jobs if jobs is not None else 1 if setup.measure else os.cpu_count() or 1
    if found < 1:
        raise ValueError(f"`jobs` {jobs}: at least 1")
    if setup.measure and found > 1:
        raise ValueError(
            "`measure` times one configuration after the other, so that they do not disturb each "
            "other; leave out `jobs`"
        )
    return found


def _engine(name: str, scheduler: str | None, workers: int) -> Engine | None:
    """What runs the configurations: a cluster, processes, or None for this one."""
    from ..analysis import sweep as sweeping

    if name == "dask":
        return sweeping.dask(scheduler)
    return sweeping.local(workers) if workers else None

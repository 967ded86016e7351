"""Every model of a configuration is traced, and its limits are judged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from .._narrow import StrPath
from ..analysis.limits import PREDICTED, TraceFigures
from ..analysis.notes import price
from ..analysis.price import prices
from ..predict import (
    AnyProfile,
    AnyRate,
    ChosenProfile,
    Rate,
    as_profile,
    as_rate,
    predicted,
    preferred,
    priced,
    prediction_notes,
    prediction_of,
)
from ..sources import Loaded, load
from ..trace import Trace, TraceError
from . import notes
from .config import Config, ModelBudget, read
from .errors import CheckError
from .figures import Timed, parts_of, recorded
from .judging import Baseline, Traced, verdict
from .lock import Entry, Lock, read_lock, spell_arguments, write_lock
from .result import Check, Checked
from .timing import Measuring, Times, measured_times, recorded_times

Progress = Callable[[int, int, str], None]
_FAULTS = (ValueError, TraceError, MemoryError)  # of a model; the others still run


def check(
    path: StrPath = "pyproject.toml",
    *,
    update: bool = False,
    measuring: Measuring | None = None,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
    progress: Progress | None = None,
) -> Check:
    """Trace the models of a pyproject.toml one after another, and judge their limits.

    Args:
        update: write the lock file, and judge relative limits against what it has then.
        measuring: how the models with limits on time are timed; None to time none.
        profile: of a device, for limits on predicted time, in place of those that the file names.
        rate: price of an hour of it, for limits on a price, in place of those that the file names.
        progress: called with (done, of, name) before each model.

    Raises CheckError for a configuration or a lock file that cannot be used. A model that fails is
    a part of the result."""
    config = read(path)
    chosen = None if profile is None else as_profile(profile)
    hour = as_rate(rate)
    name = os.path.basename(config.lock)
    lock, said = _lock(config, update)
    before: Mapping[str, Entry] = lock.entries if lock else {}
    models: list[Checked] = []
    after: dict[str, Entry] = {}
    for i, model in enumerate(config.models):
        if progress:
            progress(i, len(config.models), model.name)
        old = before.get(model.name)
        checked, entry = _checked(
            model, Baseline(name, lock is not None, old), measuring, chosen, hour, update=update
        )
        models.append(checked)
        if kept := entry or old:  # what a model cost before it failed stays
            after[model.name] = kept
    if update:
        said.append(notes.updated(name, write_lock(config.lock, after, lock), before, after))
    else:
        said += [notes.gone_model(name, gone) for gone in before if gone not in after]
    return Check(config.path, tuple(models), tuple(said))


def _lock(config: Config, update: bool) -> tuple[Lock | None, list[str]]:
    """The lock file, and what must be said of it; a damaged one that is written anew is none."""
    try:
        return read_lock(config.lock), []
    except CheckError as e:
        if not update:
            raise
        return None, [notes.replaced(str(e))]


def _checked(
    model: ModelBudget,
    before: Baseline,
    measuring: Measuring | None,
    profile: ChosenProfile | None,
    rate: Rate | None,
    *,
    update: bool,
) -> tuple[Checked, Entry | None]:
    """What became of a model, and its entry for the lock file, None where it could not be
    traced."""
    started = time.perf_counter()
    try:
        trace, traced = _traced(model, measuring, profile, rate)
    except _FAULTS as e:
        message = (str(e) or type(e).__name__).splitlines()[0]
        return Checked(model, (), message, (), time.perf_counter() - started), None
    entry = _entry(model, trace, traced, before.entry)
    base = Baseline(before.lock, True, entry, new=True) if update else before
    verdicts = tuple(verdict(budget, traced, base) for budget in model.limits)
    seconds = time.perf_counter() - started
    said = (*_lock_notes(model, entry, base), *_predicted_notes(model, traced))
    return Checked(model, verdicts, "", said, seconds), entry


def _predicted_notes(model: ModelBudget, traced: Traced) -> list[str]:
    """Where the predicted times of a model are from, its warnings, and its price."""
    if traced.prediction is None:
        return []
    said = (*prediction_notes(traced.prediction), *map(price, traced.prices))
    return [f"{model.name}: {line}" for line in said]


def _lock_notes(model: ModelBudget, entry: Entry, base: Baseline) -> list[str]:
    """What a reader must know of a model's entry in the lock file."""
    if not base.exists:
        return []
    if base.entry is None:
        return [notes.new_model(base.lock, model.name)]
    return list(notes.other_setup(base.lock, model.name, base.entry, entry))


def _traced(
    model: ModelBudget,
    measuring: Measuring | None,
    profile: ChosenProfile | None,
    rate: Rate | None,
) -> tuple[Trace, Traced]:
    """Build and trace a model; time it, or predict its time, where a limit asks for it."""
    from ..sources.run import trace_on_host

    found = load(model.spec, model.inputs or None, arguments=model.arguments)
    if isinstance(found, Trace):
        if model.train and not found.trained:
            raise CheckError("the saved trace has no backward pass; trace it with --mode train")
        trace, times = found, recorded_times(found, model.timing)
    else:
        loaded = _in_use(found, model)
        trace, times = trace_on_host(loaded, backward=model.train), _times(model, loaded, measuring)
    if any(budget.limit.quantity in PREDICTED for budget in model.limits):
        trace = predicted(trace, _profile(model, profile))
    if prediction_of(trace):
        trace = priced(trace, preferred(rate, model.rate))
    head = Timed(TraceFigures(trace), times.figures)
    return trace, Traced(head, parts_of(head), times, prediction_of(trace), prices(trace))


def _profile(model: ModelBudget, given: ChosenProfile | None) -> ChosenProfile | None:
    """The profile that a model's time is predicted by: what is `given`, or what the file names,
    which goes before a default; in the dtype and layout of the model unless it says another one."""
    found = preferred(given, None if model.profile is None else ChosenProfile(model.profile))
    if found is None:
        return None
    return replace(found, dtype=found.dtype or model.dtype, layout=found.layout or model.layout)


def _times(model: ModelBudget, loaded: Loaded, measuring: Measuring | None) -> Times:
    """Measured where that is asked for, and a limit needs it."""
    if measuring and any(budget.limit.quantity == "time" for budget in model.limits):
        return measured_times(loaded, model.timing, measuring)
    return Times(why=notes.not_measured(recorded=False))


def _in_use(loaded: Loaded, model: ModelBudget) -> Loaded:
    """The model in the phase that its budget names, if it names one."""
    if not model.use:
        return loaded
    from ..sources.phases import Use, in_phase

    return in_phase(loaded, Use(**model.use))


def _entry(model: ModelBudget, trace: Trace, traced: Traced, before: Entry | None) -> Entry:
    """What the lock file keeps of a model."""
    options = {**model.arguments, **model.use, **({"mode": "train"} if model.train else {})}
    entry = Entry(
        model.model,
        tuple(":".join(shape) for shape in trace.provenance["inputs"]),
        spell_arguments(options),
        recorded(traced.head, traced.parts, [budget.limit for budget in model.limits]),
        traced.times.on,
    )
    return _with_times(entry, before) if before and not traced.times.figures else entry


def _with_times(entry: Entry, before: Entry) -> Entry:
    """An entry with the times of before, for a model that was not timed now."""
    figures = {block: dict(values) for block, values in entry.figures.items()}
    for block, values in before.figures.items():
        if block in figures and "time" in values:
            figures[block]["time"] = values["time"]
    return replace(entry, figures=figures, measured_on=before.measured_on)

"""The configurations of a sweep: each model at each combination of values."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..._version import __version__
from ..._spelling import suggestion
from ...predict import ChosenProfile, load_profile, predicted
from ...sources import Loaded, SourceError, load
from ...sources.phases import Use, in_phase
from ...trace import Trace
from .journal import MADE_OF
from .result import Configuration
from .sizes import SIZES, require_taken, resizer

ARGUMENT = "arg."  # begins the axis of an argument of the factory
MOST = 100_000  # configurations of a sweep
Value = int | float | str


@dataclass(frozen=True)
class Setup:
    """What all configurations of a sweep share.

    Attributes:
        inputs, arguments: as `costlab.load` takes them.
        device: where to run: "auto", "cuda", "cpu" or "meta".
        train: count a training step.
        phase: "prefill" or "decode" of `context` tokens and `batch` sequences; "" for neither.
        measure: run for real; in `dtype`, as `channels_last`, and with `compile` compiled too.
        profile: name or file of the profile of a device whose times are predicted, in the dtype and
            layout that `ChosenProfile` takes; "" for none.
    """

    inputs: tuple[str, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    device: str = "auto"
    train: bool = False
    phase: str = ""
    context: int = 4096
    batch: int = 1
    measure: bool = False
    dtype: str = "fp32"
    channels_last: bool = False
    compile: bool = False
    profile: str = ""
    profile_dtype: str | None = None
    profile_layout: str | None = None

    def predicted(self, trace: Trace) -> Trace:
        """The trace with the times of the profile, if there is one. Raises ProfileError."""
        if not self.profile:
            return trace
        profile = load_profile(self.profile)
        return predicted(trace, ChosenProfile(profile, self.profile_dtype, self.profile_layout))

    def load(self, model: str, values: Mapping[str, Value]) -> Loaded:
        """The model at the values of some axes. Raises SourceError."""
        sizes = {k: int(v) for k, v in values.items() if not k.startswith(ARGUMENT)}
        more = {k.removeprefix(ARGUMENT): v for k, v in values.items() if k.startswith(ARGUMENT)}
        found = load(
            model,
            self.inputs,
            arguments={**self.arguments, **more},
            resize=None if self.phase else resizer(sizes),
        )
        if not isinstance(found, Loaded):
            raise SourceError(
                f"{model} is a saved trace, and this needs the model itself; name the model"
            )
        if not self.phase:
            return found
        context, batch = sizes.get("context", self.context), sizes.get("batch", self.batch)
        return in_phase(found, Use(self.phase, context, batch))


def configurations(
    models: Sequence[str], axes: Mapping[str, Sequence[Value]], setup: Setup, *, versions: bool
) -> list[Configuration]:
    """A dict for each model and each combination of values; with `versions`, also of what code an
    outcome depends on.

    What no configuration could run is an error here, not a table of failures: each model is opened
    once. Raises SourceError for a model that cannot be built, ValueError for a size that it does
    not have, TraceError for a device that is missing, MeasureError for a dtype too."""
    _require_device(setup)
    found: list[Configuration] = []
    for model in models:
        loaded = setup.load(model, {})
        require_taken(loaded, [a for a in axes if a in SIZES and not setup.phase])
        _require_arguments(model, axes, setup)
        made_of = {MADE_OF: _made_of(loaded, setup)} if versions else {}
        found += [
            {"model": model, **dict(zip(axes, values, strict=True)), **_fixed(setup), **made_of}
            for values in itertools.product(*axes.values())
        ]
    return found


def _require_arguments(model: str, axes: Mapping[str, Sequence[Value]], setup: Setup) -> None:
    """Raise SourceError for an argument that the factory does not take; one that it takes may fail
    at some of its values, which is an outcome."""
    for axis, values in axes.items():
        name = axis.removeprefix(ARGUMENT)
        if name == axis:
            continue
        try:
            setup.load(model, {axis: values[0]})
        except SourceError as e:
            if f"unexpected keyword argument '{name}'" in str(e):
                near = "" if "did you mean" in str(e) else suggestion(name, SIZES)
                raise SourceError(f"{e}{near}") from None


def _require_device(setup: Setup) -> None:
    if setup.measure:
        from ...measure.device import DTYPES, MeasureError, find_device

        if setup.dtype not in DTYPES:
            raise MeasureError(f"unknown dtype {setup.dtype!r}; choose {', '.join(DTYPES)}")
        find_device(setup.device)
    elif setup.device == "cuda":
        from ...trace.tracer import resolve_device

        resolve_device(None, "cuda")


def _fixed(setup: Setup) -> dict[str, Any]:
    """The setup as a part of a configuration; its batch and context are defaults of axes. Without
    a profile it is as journals of before 2026-11-27 have it."""
    values = asdict(setup)
    return {
        f"setup.{k}": v for k, v in values.items() if setup.profile or not k.startswith("profile")
    }


def opened(configuration: Configuration) -> tuple[Loaded, Setup]:
    """The model of a configuration, and how it is run."""
    given = {f.name: f"setup.{f.name}" for f in fields(Setup)}
    setup = Setup(**{name: configuration[k] for name, k in given.items() if k in configuration})
    axes = {
        k: v for k, v in configuration.items() if k not in ("model", MADE_OF) and k[:6] != "setup."
    }
    return setup.load(configuration["model"], axes), setup


def _made_of(loaded: Loaded, setup: Setup) -> str:
    """What an outcome depends on beside its configuration: the model's code or library, versions,
    and where times were taken."""
    versions = [f"costlab {__version__}", *([loaded.version] if loaded.version else [])]
    if setup.measure:
        import torch

        from ...measure.device import find_device

        device = find_device(setup.device).describe()["device"]
        versions += [f"torch {torch.__version__}", str(device)]
    if os.path.isfile(setup.profile):
        with open(setup.profile, "rb") as f:
            versions.append(f"profile {hashlib.sha256(f.read()).hexdigest()[:12]}")
    return ", ".join(versions)

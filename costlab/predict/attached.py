"""A trace with the times that were predicted for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

from .._narrow import StrPath
from ..trace import Trace
from .load import load_profile
from .prediction import Prediction, Profile


@dataclass(frozen=True)
class ChosenProfile:
    """A profile, with the dtype and the layout that models run in on its device; None as
    `Profile.predict` takes it. `name`: of the datasheet or the file; "" of an object. `fallback`:
    whether what a file names for its own models goes before it, as before a default of the
    user's."""

    profile: Profile
    dtype: str | None = None
    layout: str | None = None
    name: str = ""
    fallback: bool = False

    def predict(self, trace: Trace) -> Prediction:
        """The times of a trace. Raises ProfileError as `Profile.predict` does."""
        return self.profile.predict(trace, dtype=self.dtype, layout=self.layout)


AnyProfile = StrPath | Profile | ChosenProfile


@dataclass(frozen=True, repr=False)
class PredictedTrace(Trace):
    """A trace with its `prediction`, and the `profile` that it is by: what tables and analyses show
    where they are given a profile."""

    prediction: Prediction | None = None
    profile: ChosenProfile | None = None


def as_profile(profile: AnyProfile) -> ChosenProfile:
    """A profile by name, file or object. Raises ProfileError as `load_profile` does."""
    if isinstance(profile, ChosenProfile):
        return profile
    if isinstance(profile, (str, os.PathLike)):
        return ChosenProfile(load_profile(profile), name=os.fspath(profile))
    return ChosenProfile(profile)


def predicted(trace: Trace, profile: AnyProfile | None) -> Trace:
    """The trace with its predicted times; the trace itself where there is no profile. Raises
    ProfileError for a profile that cannot be read, or that says nothing of this trace."""
    if profile is None:
        return trace
    values = {f.name: getattr(trace, f.name) for f in fields(Trace)}
    chosen = as_profile(profile)
    return PredictedTrace(**values, prediction=chosen.predict(trace), profile=chosen)


def prediction_of(trace: Trace) -> Prediction | None:
    """The prediction of a trace; None where none was asked for."""
    return trace.prediction if isinstance(trace, PredictedTrace) else None


def predicted_like(part: Trace, trace: Trace) -> Trace:
    """A trace of a part of a model, or of what could replace one, with its predicted times where
    the trace of the model has such: by the same profile, in the same dtype and layout. Raises
    ProfileError as `predicted` does."""
    if not isinstance(trace, PredictedTrace) or not trace.profile or not trace.prediction:
        return part
    facts = trace.prediction.facts
    return predicted(part, replace(trace.profile, dtype=facts.dtype, layout=facts.layout))

"""A trace with what is known of a device: the times that were predicted there, and its price."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from .._narrow import StrPath
from ..trace import Trace
from .load import load_profile
from .prediction import Prediction, Profile
from .rate import AnyRate, Rate, as_rate


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
_Chosen = TypeVar("_Chosen", ChosenProfile, Rate)


@dataclass(frozen=True, repr=False)
class DeviceTrace(Trace):
    """A trace with what tables and analyses show of a device: the `prediction` of its times, and
    the `profile` that it is by, where they are given a profile; the `rate`, the price of an hour,
    where they are given one."""

    prediction: Prediction | None = None
    profile: ChosenProfile | None = None
    rate: float | None = None


def as_profile(profile: AnyProfile) -> ChosenProfile:
    """A profile by name, file or object. Raises ProfileError as `load_profile` does."""
    if isinstance(profile, ChosenProfile):
        return profile
    if isinstance(profile, (str, os.PathLike)):
        return ChosenProfile(load_profile(profile), name=os.fspath(profile))
    return ChosenProfile(profile)


def preferred(given: _Chosen | None, named: _Chosen | None) -> _Chosen | None:
    """What is given, or what a file names, which goes before a default of the user's."""
    return given if named is None or (given and not given.fallback) else named


def predicted(trace: Trace, profile: AnyProfile | None) -> Trace:
    """The trace with its predicted times; the trace itself where there is no profile. Raises
    ProfileError for a profile that cannot be read, or that says nothing of this trace."""
    if profile is None:
        return trace
    chosen = as_profile(profile)
    return _on_device(trace, prediction=chosen.predict(trace), profile=chosen)


def priced(trace: Trace, rate: AnyRate | None) -> Trace:
    """The trace with the price of an hour of its device; the trace itself where there is none.
    Raises ValueError for a rate that is not above 0, and for a trace without a time, unless the
    rate is a fallback."""
    given = as_rate(rate)
    if given is None:
        return trace
    if trace.measured or prediction_of(trace):
        return _on_device(trace, rate=given.price)
    if given.fallback:
        return trace
    raise ValueError(
        f"{trace.provenance['model']} has no time to price by; name a device with `profile`, "
        "or make a trace with `costlab trace MODEL --measure`"
    )


def _on_device(trace: Trace, **known: Any) -> DeviceTrace:
    """The trace with what is known of a device, and with what it had of one."""
    if isinstance(trace, DeviceTrace):
        return replace(trace, **known)
    return DeviceTrace(**{f.name: getattr(trace, f.name) for f in fields(Trace)}, **known)


def prediction_of(trace: Trace) -> Prediction | None:
    """The prediction of a trace; None where none was asked for."""
    return trace.prediction if isinstance(trace, DeviceTrace) else None


def rate_of(trace: Trace) -> float | None:
    """The price of an hour of the device of a trace; None where none was given."""
    return trace.rate if isinstance(trace, DeviceTrace) else None


def predicted_like(part: Trace, trace: Trace) -> Trace:
    """A trace of a part of a model, or of what could replace one, with its predicted times where
    the trace of the model has such: by the same profile, in the same dtype and layout. Raises
    ProfileError as `predicted` does."""
    if not isinstance(trace, DeviceTrace) or not trace.profile or not trace.prediction:
        return part
    facts = trace.prediction.facts
    return predicted(part, replace(trace.profile, dtype=facts.dtype, layout=facts.layout))

"""Times of a traced model on a device that is not here, from a profile of the device."""

from .._callable import callable_as
from .attached import (
    AnyProfile,
    ChosenProfile,
    DeviceTrace,
    as_profile,
    predicted,
    predicted_like,
    prediction_of,
    preferred,
    priced,
    rate_of,
)
from .dtypes import dtype_of
from .estimate import Estimate, difference, estimates_sum
from .load import beside, load_profile
from .prediction import LAYOUTS, Prediction, Profile, ProfileError, ProfileFacts
from .rate import AnyRate, Rate, as_rate
from .saving import Saving, saving_of
from .spelling import (
    column_name,
    comparison_of_predictions,
    milliseconds,
    prediction_notes,
    prediction_source,
    saved_time,
    significant,
    spell_estimate,
    spell_time,
    time_name,
    times_on,
)

__all__ = [
    "LAYOUTS",
    "AnyProfile",
    "AnyRate",
    "ChosenProfile",
    "DeviceTrace",
    "Estimate",
    "Prediction",
    "Profile",
    "ProfileError",
    "ProfileFacts",
    "Rate",
    "Saving",
    "as_profile",
    "as_rate",
    "beside",
    "column_name",
    "comparison_of_predictions",
    "difference",
    "dtype_of",
    "estimates_sum",
    "load_profile",
    "milliseconds",
    "predicted",
    "predicted_like",
    "prediction_notes",
    "prediction_of",
    "prediction_source",
    "preferred",
    "priced",
    "rate_of",
    "saved_time",
    "saving_of",
    "significant",
    "spell_estimate",
    "spell_time",
    "time_name",
    "times_on",
]

callable_as(__name__, "costlab.api:predict")

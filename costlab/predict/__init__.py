"""Times of a traced model on a device that is not here, from a profile of the device."""

from .._callable import callable_as
from .attached import (
    AnyProfile,
    ChosenProfile,
    PredictedTrace,
    as_profile,
    predicted,
    predicted_like,
    prediction_of,
)
from .dtypes import dtype_of
from .estimate import Estimate, difference, estimates_sum
from .load import beside, load_profile
from .prediction import LAYOUTS, Prediction, Profile, ProfileError, ProfileFacts
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
)

__all__ = [
    "LAYOUTS",
    "AnyProfile",
    "ChosenProfile",
    "Estimate",
    "PredictedTrace",
    "Prediction",
    "Profile",
    "ProfileError",
    "ProfileFacts",
    "Saving",
    "as_profile",
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
    "saved_time",
    "saving_of",
    "significant",
    "spell_estimate",
    "spell_time",
]

callable_as(__name__, "costlab.api:predict")

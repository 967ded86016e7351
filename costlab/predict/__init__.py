"""Times of a traced model on a device that is not here, from a profile of the device."""

from .estimate import Estimate, difference, estimates_sum
from .load import load_profile
from .prediction import Prediction, Profile, ProfileError, ProfileFacts

__all__ = [
    "Estimate",
    "Prediction",
    "Profile",
    "ProfileError",
    "ProfileFacts",
    "difference",
    "estimates_sum",
    "load_profile",
]

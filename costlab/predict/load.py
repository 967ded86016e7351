"""Profiles by name or file."""

from __future__ import annotations

import os

from .._narrow import StrPath
from .._spelling import suggestion
from ..reference.datasheets import datasheet, names
from .datasheet import DatasheetProfile
from .device_file import read_device
from .prediction import Profile, ProfileError

SUFFIX = ".device"


def load_profile(profile: StrPath) -> Profile:
    """The profile of a device.

    Args:
        profile: the name of a datasheet, such as "h100", or a .device file, which `costlab
            calibrate` writes.

    Raises ProfileError for a name without a datasheet, and for a file that is not there or cannot
    be read."""
    text = os.fspath(profile)
    if text.endswith(SUFFIX) and not os.path.exists(text):
        raise ProfileError(f"there is no file {text}")
    if os.path.exists(text):
        return read_device(text)
    name = text.strip().lower().replace(" ", "-").replace("_", "-")
    if name in names():
        return DatasheetProfile(datasheet(name))
    near = suggestion(name, [n for n in names() if n.startswith(name)] or names())
    raise ProfileError(
        f"there is no profile {text!r}: give a {SUFFIX} file, or a datasheet: "
        f"{', '.join(names())}{near}"
    )

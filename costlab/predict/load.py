"""Profiles by name or file."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from .. import _documents
from .._narrow import StrPath
from .._spelling import suggestion
from .prediction import Profile, ProfileError

if TYPE_CHECKING:
    from .calibrated import CalibratedProfile

SUFFIX, DATASHEET_SUFFIX = ".device", ".toml"
_KEPT = 4  # files of a process that stay read and fitted


def load_profile(profile: StrPath) -> Profile:
    """The profile of a device.

    Args:
        profile: a .device file, which `costlab calibrate` writes, the name of a datasheet, such as
            "h100", or a .toml file that is one, as `reference.datasheets` describes it.

    Raises ProfileError for a name without a datasheet, and for a file that is not there or cannot
    be read."""
    from ..reference.datasheets import datasheet, names, read_datasheet
    from .datasheet import DatasheetProfile

    text = os.fspath(profile)
    if text.endswith((SUFFIX, DATASHEET_SUFFIX)) and not os.path.exists(text):
        raise ProfileError(f"there is no file {text}")
    if os.path.exists(text) and not os.path.isdir(text):
        if text.endswith(DATASHEET_SUFFIX):
            return DatasheetProfile(read_datasheet(text, ProfileError))
        return _device(text, *_stamp(text))
    name = text.strip().lower().replace(" ", "-").replace("_", "-")
    if name in names():
        return DatasheetProfile(datasheet(name))
    near = suggestion(name, [n for n in names() if n.startswith(name)] or names())
    raise ProfileError(
        f"there is no profile {text!r}: give a {SUFFIX} or {DATASHEET_SUFFIX} file, or a "
        f"datasheet: {', '.join(names())}{near}"
    )


def beside(folder: str, profile: str) -> str:
    """A profile that a file in `folder` names, as `load_profile` takes it from anywhere: a path is
    from that folder."""
    return _documents.beside(folder, profile, (SUFFIX, DATASHEET_SUFFIX))


@lru_cache(_KEPT)
def _device(path: str, modified: int, size: int) -> CalibratedProfile:
    """The profile of a file as it was then. A profile is fitted where a prediction first needs it,
    which takes a second or more: predictions by one file share what is fitted."""
    from .device_file import read_device

    return read_device(path)


def _stamp(path: str) -> tuple[int, int]:
    """What changes when a file is written."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size

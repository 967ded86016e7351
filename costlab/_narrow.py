"""`isinstance` for values of which nothing is known.

A type checker takes what `isinstance(value, dict)` leaves for a dict of unknown keys and values.
Here what is in a container is an `object`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # torch brings typing_extensions; a saved trace opens without it
    from typing_extensions import TypeIs

StrPath = str | os.PathLike[str]


def is_path(value: object) -> TypeIs[StrPath]:
    """The name of a file, as text or as a path object."""
    return isinstance(value, (str, os.PathLike))


def is_mapping(value: object) -> TypeIs[Mapping[object, object]]:
    """A dict, or what is read like one."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeIs[list[object]]:
    """A list."""
    return isinstance(value, list)


def is_tuple(value: object) -> TypeIs[tuple[object, ...]]:
    """A tuple."""
    return isinstance(value, tuple)


def is_list_or_tuple(value: object) -> TypeIs[list[object] | tuple[object, ...]]:
    """A list or a tuple."""
    return isinstance(value, (list, tuple))


def json_object(value: object) -> dict[str, Any] | None:
    """An object of decoded JSON, whose keys are texts; None for any other value."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None

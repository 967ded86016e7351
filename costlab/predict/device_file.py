"""Device files: written whole or not at all, read and validated. Needs no torch.

File format (version 2; version 1 has fewer families of kernels), described in docs/device-file.md:
gzip-compressed UTF-8 JSON, one object with
- `format` = "costlab-device", `version`;
- `facts`: the device, its library versions, clocks, and the date (the fields of `DeviceFacts`);
- `points`: by family of kernels `fields`, and `rows` of [dtype, layout, sizes, warm, cold], where
  warm and cold are [median, low, high] in seconds, cold null where there is none;
- `networks`: [dtype, layout, kernels, params, seconds] each, kernels as [family, sizes];
- `host`, `seconds`: as in `Calibration`;
- `failed`: why points are missing -> how many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._narrow import StrPath, is_list, json_object
from .._packed import PackedFormat
from ..trace.files import write_file
from .._text import brief
from ..trace.decoded import MisfitError
from . import device_rows as rows
from .calibrated import CalibratedProfile
from .device_record import Calibration, NetworkPoint, Point
from .kernels import FAMILIES
from .prediction import ProfileError

FORMAT, VERSION = "costlab-device", 2
MOST_BYTES = 64 * 2**20  # of JSON: about half a million points
MOST_ROWS = 500_000
_FORMAT = PackedFormat(
    name="device file",
    mark=FORMAT,
    versions=(1, VERSION),
    make="costlab calibrate -o FILE",
    again="calibrate the device again",
    error=ProfileError,
)


def write_calibration(calibration: Calibration, path: StrPath) -> None:
    """Write a device file. Raises OSError when the path cannot be written, ProfileError for one
    that could not be read again, as it is too large."""
    write_file(path, _FORMAT.packed(path, _document(calibration), MOST_BYTES))


def read_calibration(path: StrPath) -> Calibration:
    """Read a device file. Raises ProfileError (one clear line) for anything that is not one."""
    doc, _ = _FORMAT.read(path, MOST_BYTES)
    try:
        return _calibration(doc)
    except MisfitError as e:
        raise _FORMAT.damaged(path, str(e)) from None


def read_device(path: StrPath) -> CalibratedProfile:
    """The profile of a device file. Raises ProfileError (one clear line) for anything that is not
    one."""
    return CalibratedProfile(read_calibration(path), path)


def _document(calibration: Calibration) -> dict[str, object]:
    families = dict.fromkeys(p.kernel.family for p in calibration.points)
    return {
        "format": FORMAT,
        "version": VERSION,
        "facts": rows.facts_object(calibration.facts),
        "points": {
            family: {
                "fields": rows.fields_of(family),
                "rows": [
                    rows.point_row(p) for p in calibration.points if p.kernel.family == family
                ],
            }
            for family in families
        },
        "networks": [rows.network_row(n) for n in calibration.networks],
        "host": calibration.host,
        "seconds": calibration.seconds,
        "failed": calibration.failed,
    }


def _calibration(doc: Mapping[str, Any]) -> Calibration:
    failed = json_object(doc.get("failed"))
    networks: object = doc.get("networks")
    if failed is None or not is_list(networks) or len(networks) > MOST_ROWS:
        raise MisfitError("its networks or its failed points are not listed")
    return Calibration(
        rows.facts_of(doc.get("facts")),
        _points(doc.get("points")),
        tuple(_network(i, row) for i, row in enumerate(networks)),
        rows.number(doc.get("host"), "host", 0, 1e5),
        rows.number(doc.get("seconds"), "seconds", 0, 1e9),
        {rows.text_of(why, "failed"): rows.whole(n, why, 1, 2**40) for why, n in failed.items()},
    )


def _points(value: object) -> tuple[Point, ...]:
    """All points, by family."""
    doc = json_object(value)
    if doc is None:
        raise MisfitError("its points are not an object")
    found: list[Point] = []
    for family, table in doc.items():
        if family not in FAMILIES:
            raise MisfitError(f"{brief(family)} is not a family of kernels")
        of_family = json_object(table)
        if of_family is None or of_family.get("fields") != rows.fields_of(family):
            raise MisfitError(f"{family} has other fields than {', '.join(rows.fields_of(family))}")
        listed: object = of_family.get("rows")
        if not is_list(listed) or len(found) + len(listed) > MOST_ROWS:
            raise MisfitError(f"{family} has no list of at most {MOST_ROWS:,} rows")
        found += [_point(family, i, row) for i, row in enumerate(listed)]
    return tuple(found)


def _point(family: str, index: int, row: object) -> Point:
    try:
        return rows.point_of(family, row)
    except MisfitError as e:
        raise MisfitError(f"{family}[{index}]: {e}") from None


def _network(index: int, row: object) -> NetworkPoint:
    try:
        return rows.network_of(row)
    except MisfitError as e:
        raise MisfitError(f"networks[{index}]: {e}") from None

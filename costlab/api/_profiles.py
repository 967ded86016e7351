"""The devices that `profile` takes by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._result import Result
from ._arguments import public

if TYPE_CHECKING:
    from ..reference.datasheets import Datasheet
    from ..tables import Sheet


@dataclass(frozen=True)
class Profiles(Result):
    """The datasheets of devices."""

    datasheets: tuple[Datasheet, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a device: dense peaks in TFLOP/s, of int8 TOP/s, bandwidth in GB/s, memory in GB,
        last cache in MB, and the documents."""
        from ..reference.datasheets import PEAK_DTYPES
        from ..tables import Column, Sheet

        columns = (
            Column("name", importance=9),
            Column("device", importance=4),
            *(Column(dtype, "TFLOP/s", format=",.5g", importance=7) for dtype in PEAK_DTYPES),
            Column("bandwidth", "GB/s", format=",.5g", importance=7),
            Column("memory", "GB", format=",g", importance=6),
            Column("last cache", "MB", format=",g", importance=5),
            Column("source", importance=3),
            Column("read", importance=2),
            Column("note", detail=True),
        )
        note = (
            "as published: dense peaks (half of one that is printed with sparsity), int8 in TOP/s; "
            "times by them are bounds, the least possible"
        )
        return Sheet("the datasheets", columns, tuple(map(_row, self.datasheets)), (note,))


def _row(sheet: Datasheet) -> dict[str, object]:
    return {
        "name": sheet.name,
        "device": sheet.device,
        **{dtype: peak / 1e12 for dtype, peak in sheet.peaks.items()},
        "bandwidth": sheet.bandwidth / 1e9,
        "memory": sheet.memory / 2**30,
        "last cache": sheet.cache / 2**20,
        "source": "; ".join(f"{d.title}, {d.address}" for d in sheet.documents),
        "read": ", ".join(dict.fromkeys(d.read.isoformat() for d in sheet.documents)),
        "note": sheet.note,
    }


@public
def profiles() -> Profiles:
    """The devices whose datasheets costlab has, by the name that `profile` takes."""
    from ..reference.datasheets import datasheet, names

    return Profiles(tuple(map(datasheet, names())))

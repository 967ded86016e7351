"""What vendors publish of their devices, as data: peaks, memory and caches, with their sources.

A file of `devices` is one device, in the units in which vendors print them:

    device = "NVIDIA H100 SXM5 80GB"
    memory = 80                         # GB, of 2^30 bytes, as memory chips have
    bandwidth = 3350                    # GB/s
    cache = 50                          # MB, of 2^20 bytes, the last level
    note = "what a reader must know"    # optional

    [dense]                             # TFLOP/s by dtype, of int8 TOP/s
    fp32 = 67

    [sparse]                            # printed with 2:4 sparsity; the dense peak is half of it
    bf16 = 1979

    [[source]]
    title = "NVIDIA H100 Tensor Core GPU Datasheet"
    address = "https://..."             # or a file
    says = "peaks, memory, bandwidth"   # which of the figures
    read = 2026-11-27                   # when
    copy = "https://..."                # where it was read, if not at its own address; optional
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from .. import _documents
from .._narrow import StrPath, is_list, json_object
from .._text import brief, shown
from . import path

PEAK_DTYPES = ("fp32", "tf32", "bf16", "fp16", "int8")
_GIGA, _TERA, _MIB, _GIB = 10**9, 10**12, 2**20, 2**30
_LEAST, _MOST = 1e-6, 1e9  # of a figure, in its unit
_SIZES = ("memory", "bandwidth", "cache")
_REQUIRED = ("device", *_SIZES, "source")
_SOURCE = ("title", "address", "says", "read")


@dataclass(frozen=True)
class Document:
    """A document that figures are from: its `title` and `address`, which figures it `says`, the day
    on which it was `read`, and the `copy` that was read ("": the document itself)."""

    title: str
    address: str
    says: str
    read: datetime.date
    copy: str = ""


@dataclass(frozen=True)
class Datasheet:
    """The published ceilings of a device.

    Attributes:
        name: as `--profile` takes it.
        device: as its vendor calls it.
        peaks: dense FLOP/s by dtype, of int8 operations/s; dtypes without one are not there.
        bandwidth: of the memory, bytes/s.
        memory: bytes.
        cache: bytes of the last cache.
        documents: where the figures are from.
        note: what a reader must know; "" for nothing.
    """

    name: str
    device: str
    peaks: Mapping[str, float]
    bandwidth: float
    memory: float
    cache: float
    documents: tuple[Document, ...]
    note: str = ""


def names() -> tuple[str, ...]:
    """The devices that have a datasheet."""
    return tuple(sorted(file.stem for file in path("devices").glob("*.toml")))


@cache
def datasheet(name: str) -> Datasheet:
    """The datasheet of a device by its name. Raises ValueError for a name that is not in `names()`,
    and for a file that is not as the module says."""
    if name not in names():
        raise ValueError(f"no datasheet {name!r}; there are {', '.join(names())}")
    return read_datasheet(path("devices") / f"{name}.toml")


def read_datasheet(file: StrPath, error: type[ValueError] = ValueError) -> Datasheet:
    """Read one file. Raises `error`, in one line, for one that is not as the module says."""
    found = _documents.toml(file, _documents.read_text(file, error), error)
    try:
        return _datasheet(Path(file).stem, found)
    except ValueError as e:
        raise error(f"{shown(os.fspath(file))}: {e}") from None


def _datasheet(name: str, found: Mapping[str, object]) -> Datasheet:
    _require_keys("the file", found, _REQUIRED, (*_REQUIRED, "note", "dense", "sparse"))
    memory, bandwidth, cached = (_positive(found[key], key) for key in _SIZES)
    return Datasheet(
        name=name,
        device=_text(found["device"], "device"),
        peaks=MappingProxyType(_peaks(found)),
        bandwidth=_GIGA * bandwidth,
        memory=_GIB * memory,
        cache=_MIB * cached,
        documents=_sources(found["source"]),
        note=_text(found["note"], "note") if "note" in found else "",
    )


def _peaks(found: Mapping[str, object]) -> dict[str, float]:
    """Dense FLOP/s by dtype, from what is printed with and without sparsity."""
    peaks: dict[str, float] = {}
    for table, factor in (("dense", 1.0), ("sparse", 0.5)):
        printed = _object(found.get(table, {}), table)
        _require_keys(table, printed, (), PEAK_DTYPES)
        for dtype, value in printed.items():
            if dtype in peaks:
                raise ValueError(f"{dtype} has a dense and a sparse peak; give one")
            peaks[dtype] = _TERA * factor * _positive(value, f"{table}.{dtype}")
    if "fp32" not in peaks:
        raise ValueError("no peak of fp32")
    return {dtype: peaks[dtype] for dtype in PEAK_DTYPES if dtype in peaks}


def _sources(value: object) -> tuple[Document, ...]:
    if not is_list(value) or not value:
        raise ValueError("source is not a list of tables with at least one in it")
    return tuple(_document(_object(entry, "a source")) for entry in value)


def _document(entry: Mapping[str, object]) -> Document:
    _require_keys("a source", entry, _SOURCE, (*_SOURCE, "copy"))
    read = entry["read"]
    if type(read) is not datetime.date:
        raise ValueError("read is not a date such as 2026-11-27")
    title, address, says = (_text(entry[key], key) for key in _SOURCE[:3])
    copy = _text(entry["copy"], "copy") if "copy" in entry else ""
    return Document(title, address, says, read, copy)


def _require_keys(
    where: str, found: Mapping[str, object], required: Iterable[str], known: Iterable[str]
) -> None:
    """Raise ValueError for a key that is missing, and for one that is not known."""
    for key in required:
        if key not in found:
            raise ValueError(f"{where} has no {key}")
    unknown = sorted(set(found).difference(known))
    if unknown:
        raise ValueError(
            f"{where} has an unknown key {brief(unknown[0])}; it takes {', '.join(known)}"
        )


def _object(value: object, what: str) -> dict[str, object]:
    entries = json_object(value)
    if entries is None:
        raise ValueError(f"{what} is not a table")
    return entries


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is not a string")
    return value


def _positive(value: object, what: str) -> float:
    number = value if isinstance(value, (int, float)) and type(value) is not bool else None
    if number is None or not _LEAST <= number <= _MOST:
        raise ValueError(
            f"{what} is {brief(value)}; it takes a number from {_LEAST:g} to {_MOST:g}"
        )
    return float(number)

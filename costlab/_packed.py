"""Files that costlab writes for itself, gzip-compressed JSON: one writer, and one reader, which
unpacks no more than a stated size and says in one line why a file is not what it should be. Both
work piece by piece, so that Ctrl-C ends them at once. Needs no torch."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ._narrow import StrPath, json_object
from ._text import brief, shown

MOST_VALUES = 20_000_000  # of lists and objects; decoded they take less than 2 GB
_PIECE = 2**20  # bytes
_TOGETHER = 1000  # values of a list that are written together


@dataclass(frozen=True)
class PackedFormat:
    """A kind of file.

    Attributes:
        name: what one is called, such as "trace".
        mark: what its `format` is, "costlab-" and a word.
        versions: of the format, that can be read; increasing.
        make: the command that writes one.
        again: what to do where a file is damaged.
        error: what is raised.
    """

    name: str
    mark: str
    versions: Sequence[int]
    make: str
    again: str
    error: type[ValueError]

    def read(self, path: StrPath, most_bytes: int) -> tuple[dict[str, Any], int]:
        """The object in a file, and the version of its format. Raises `error` for a file that
        cannot be read, is of another kind or version, or unpacks to more than `most_bytes`."""
        doc = json_object(self._value(path, most_bytes))
        if doc is None or doc.get("format") != self.mark:
            raise self._other_kind(path)
        version: object = doc.get("version")
        if type(version) is not int or version not in self.versions:
            first, last = self.versions[0], self.versions[-1]
            known = f"{first} to {last}" if first < last else f"{last}"
            raise self.error(
                f"{_name(path)} has {self.mark.removeprefix('costlab-')} format {brief(version)}, "
                f"this costlab reads {known}; update costlab"
            )
        return doc, version

    def packed(self, path: StrPath, doc: Mapping[str, object], most_bytes: int) -> bytes:
        """An object as a file at `path` holds it. Raises `error` for one that `read` would
        refuse."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # as gzip, without a time
        found: list[bytes] = []
        size = 0
        for text in _pieces(doc):
            piece = text.encode()
            size += len(piece)
            if size > most_bytes:
                raise self._too_large(path, f"{most_bytes >> 20} MiB")
            found.append(packer.compress(piece))
        return b"".join([*found, packer.flush()])

    def damaged(self, path: StrPath, what: str = "") -> ValueError:
        """The error of a file that is of this kind, and not whole."""
        how = f"damaged: {what}" if what else "damaged or cut short"
        return self.error(f"{_name(path)} is {how}; {self.again}")

    def _other_kind(self, path: StrPath) -> ValueError:
        return self.error(
            f"{_name(path)} is not a costlab {self.name}; make one with `{self.make}`"
        )

    def _too_large(self, path: StrPath, limit: str) -> ValueError:
        return self.error(f"{_name(path)} holds more than {limit}, the most that a {self.name} may")

    def _value(self, path: StrPath, most_bytes: int) -> object:
        try:
            data = self._unpacked(path, most_bytes)
            if max(map(data.count, b",[{")) > MOST_VALUES:
                raise self._too_large(path, f"{MOST_VALUES:,} values")
            return json.loads(data)
        except gzip.BadGzipFile:
            raise self._other_kind(path) from None
        except self.error:
            raise
        except OSError as e:
            raise self.error(f"cannot read {_name(path)}: {e.strerror or e}") from None
        except Exception:  # a cut or damaged stream fails in gzip, zlib, the decoder or json
            raise self.damaged(path) from None

    def _unpacked(self, path: StrPath, most_bytes: int) -> bytes:
        """What a file holds, read piece by piece, so that a small file that unpacks to a huge one
        is refused before it fills the memory."""
        found = bytearray()
        with gzip.open(path) as stream:
            while piece := stream.read(_PIECE):
                found += piece
                if len(found) > most_bytes:
                    raise self._too_large(path, f"{most_bytes >> 20} MiB")
        return bytes(found)


def _pieces(doc: Mapping[str, object]) -> Iterator[str]:
    """The JSON of an object."""
    for i, (key, value) in enumerate(doc.items()):
        yield f"{',' if i else '{'}{_json(key)}:"
        if isinstance(value, (list, tuple)):
            yield from _list_pieces(cast("Sequence[object]", value))
        else:
            yield _json(value)
    yield "}"


def _list_pieces(values: Sequence[object]) -> Iterator[str]:
    yield "["
    for start in range(0, len(values), _TOGETHER):
        inside = _json(values[start : start + _TOGETHER])[1:-1]
        yield f",{inside}" if start else inside
    yield "]"


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _name(path: StrPath) -> str:
    return shown(os.fspath(path))

"""Saved traces: a file that is not a source code and no other source's format."""

from __future__ import annotations

import json
import os

from .._narrow import json_object
from ..trace import Trace, TraceFileError
from ._model import Recording, Source, SourceError


_LARGEST_CONFIGURATION = 2**20  # bytes
_MARKS = {"model_type": "transformers", "_class_name": "diffusers"}  # what their files have


def _find(path: str) -> Recording:
    if library := _configured_library(path):
        raise SourceError(f"{path} is a configuration of {library}; write {library}:{path}")

    def read() -> Trace:
        try:
            return Trace.load(path)
        except TraceFileError as e:
            raise SourceError(str(e)) from None

    return Recording(read)


def _configured_library(path: str) -> str:
    """The library whose configuration a file is; "" for any other file."""
    if not path.endswith(".json") or os.path.getsize(path) > _LARGEST_CONFIGURATION:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            found = json_object(json.load(file)) or {}
    except (OSError, ValueError, RecursionError):
        return ""
    return next((library for mark, library in _MARKS.items() if mark in found), "")


SOURCE = Source(
    "FILE.trace",
    lambda spec: os.path.isfile(spec) and not spec.endswith(".py"),
    _find,
)

"""Saved traces: a file that is not a source code and no other source's format."""

from __future__ import annotations

import os

from ..trace import Trace, TraceFileError
from ._model import Inputs, Recording, Source, SourceError


def _find(path: str) -> Recording:
    def read(inputs: Inputs | None) -> Trace:
        try:
            return Trace.load(path)
        except TraceFileError as e:
            raise SourceError(str(e)) from None

    return Recording(read)


SOURCE = Source(
    "FILE.trace",
    lambda spec: os.path.isfile(spec) and not spec.endswith(".py"),
    _find,
    records=True,
)

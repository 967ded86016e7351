"""A probe's result as a file, so that a report shows a run without repeating it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any, cast

from ... import _documents
from ..._text import brief, shown
from ..._narrow import is_list_or_tuple, json_object
from ...trace.files import write_file
from ...trace.decoded import MisfitError, fitted
from .probe import Probe

FORMAT = "costlab probe"
_WRONG = "not a result of the gradient probe"
DIGITS = 6  # of each gradient that are kept


def write_probe(result: Probe, path: str | os.PathLike[str]) -> None:
    """Write a result as JSON. Raises OSError where it cannot be written."""
    document = {"format": FORMAT, **_rounded(asdict(result))}
    write_file(path, (json.dumps(document, indent=1) + "\n").encode())


def read_probe(path: str | os.PathLike[str]) -> Probe:
    """Read what `write_probe` wrote. Raises ValueError for another file, and for one that cannot be
    read."""
    name = shown(os.fspath(path))
    text = _documents.read_text(path, ValueError)
    document = json_object(_documents.json_value(path, text, ValueError, _WRONG)) or {}
    if document.pop("format", None) != FORMAT:
        raise ValueError(f"{name} is {_WRONG}")
    try:
        return _checked(fitted(document, Probe, "probe"))
    except (MisfitError, RecursionError) as e:
        raise ValueError(f"{name} is {_WRONG}: {e}") from None


def _rounded(value: Any) -> Any:
    """The same with shorter floats."""
    if isinstance(value, dict):
        items = cast("dict[object, Any]", value).items()
        return {key: _rounded(item) for key, item in items}
    if is_list_or_tuple(value):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _checked(probe: Probe) -> Probe:
    """The same probe. Raises MisfitError where its curves are not those of its protocol."""
    for gradients in filter(None, (probe.without, probe.with_heads)):
        if not gradients.layers:
            raise MisfitError("it has no convolutions")
        for layer in gradients.layers:
            lengths = [len(curve) for curve in layer.curves]
            if lengths != [probe.protocol.iterations] * len(probe.protocol.seeds) or 0 in lengths:
                raise MisfitError(f"{brief(layer.name)} has no curve of each seed and iteration")
    for other in probe.beside:
        _checked(other)
    return probe

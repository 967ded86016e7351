"""A probe's result as a file, so that a report shows a run without repeating it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from ...trace.files import write_file
from .probe import Probe
from .training import Gradients, Layer, Protocol

FORMAT = "costlab probe"
DIGITS = 6  # of each gradient that are kept


def write_probe(result: Probe, path: str | os.PathLike[str]) -> None:
    """Write a result as JSON. Raises OSError where it cannot be written."""
    document = {"format": FORMAT, **_rounded(asdict(result))}
    write_file(path, (json.dumps(document, indent=1) + "\n").encode())


def read_probe(path: str | os.PathLike[str]) -> Probe:
    """Read what `write_probe` wrote. Raises ValueError for another file, and for one that cannot be
    read."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document.pop("format") != FORMAT:
            raise KeyError("format")
        return _probe(document)
    except OSError as e:
        raise ValueError(f"cannot read {os.fspath(path)}: {e.strerror}") from None
    except (UnicodeDecodeError, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        raise ValueError(f"{os.fspath(path)} is not a result of the gradient probe") from None


def _rounded(value: Any) -> Any:
    """The same with shorter floats."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _probe(document: dict[str, Any]) -> Probe:
    helped, run = document["with_heads"], document["protocol"]
    return Probe(
        document["model"],
        document["setting"],
        _gradients(document["without"]),
        _gradients(helped) if helped else None,
        Protocol(**{**run, "seeds": tuple(run["seeds"])}),
        document["threshold"],
        document["head_after"],
        tuple(map(_probe, document["beside"])),
    )


def _gradients(document: dict[str, Any]) -> Gradients:
    return Gradients(
        tuple(
            Layer(layer["name"], tuple(map(tuple, layer["curves"]))) for layer in document["layers"]
        )
    )

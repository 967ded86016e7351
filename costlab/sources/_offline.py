"""No source opens a connection: the libraries are told to stay offline while they build."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator, Mapping

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DIFFUSERS_OFFLINE": "1",
    "YOLO_OFFLINE": "True",
    "YOLO_AUTOINSTALL": "False",
    "YOLO_VERBOSE": "False",
}
_CONSTANTS = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN")  # read once, on import


@contextlib.contextmanager
def offline() -> Generator[None]:
    """Hugging Face's libraries and ultralytics neither connect nor read tokens in here."""
    environment = {name: os.environ.get(name) for name in _ENVIRONMENT}
    constants = sys.modules.get("huggingface_hub.constants")
    values = {name: getattr(constants, name) for name in _CONSTANTS} if constants else {}
    os.environ.update(_ENVIRONMENT)
    for name in values:
        setattr(constants, name, True)
    try:
        yield
    finally:
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _restore_constants(values, environment)


def _restore_constants(values: Mapping[str, bool], environment: Mapping[str, str | None]) -> None:
    """As they were; where the library was first imported in here, as the environment has them."""
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is None:
        return
    for name in _CONSTANTS:
        asked = (environment[name] or "").upper() in ("1", "ON", "YES", "TRUE")
        setattr(constants, name, values.get(name, asked))

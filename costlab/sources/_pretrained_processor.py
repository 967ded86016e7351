"""The image that a model's own processor makes, from the files beside its configuration."""

from __future__ import annotations

import os
from typing import Any

from .. import _documents
from .._narrow import json_object

# of an image processor alone, and of one for text and images together
_FILES = ("preprocessor_config.json", "processor_config.json")


def image_size(config: str) -> tuple[int, int] | None:
    """Height and width of what the processor beside a config.json gives to the model: its crop, or
    what it resizes to. None where there is no processor, or where its size depends on the image."""
    for name in _FILES:
        path = os.path.join(os.path.dirname(config), name)
        try:
            text = _documents.read_text(path, ValueError)
            values = _documents.json_value(path, text, ValueError, "no JSON")
        except ValueError:
            continue
        settings = json_object(values) or {}
        if size := _size(settings.get("image_processor", settings)):
            return size
    return None


def _size(values: dict[str, Any]) -> tuple[int, int] | None:
    crops, resizes = values.get("do_center_crop", False), values.get("do_resize", True)
    size = values.get("crop_size") if crops else values.get("size") if resizes else None
    match size:
        case int():
            return size, size
        case {"height": int(height), "width": int(width)}:
            return height, width
        case {"shortest_edge": int(edge)}:  # of a square image, as a model without a crop takes it
            return edge, edge
        case (int(height), int(width)):
            return height, width
        case _:
            return None

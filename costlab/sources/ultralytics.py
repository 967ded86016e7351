"""ultralytics' detectors from a YAML of layers, never a download: yolo11n, or a path."""

from __future__ import annotations

import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._inputs import parse
from .._spelling import suggestion
from ._model import Definition, Source, SourceError
from .torchvision import load_torchvision

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "ultralytics:"
_SCALE = re.compile(r"(?P<family>.*\d)(?P<scale>[nslmx])(?P<task>-.*)?")


def _find(spec: str) -> Definition:
    load_torchvision()
    import ultralytics
    from ultralytics.nn import tasks

    name = spec.removeprefix(_PREFIX)
    path = _path(Path(ultralytics.__file__).parent / "cfg" / "models", name)

    def build(**arguments: Any) -> nn.Module:
        layers = tasks.yaml_model_load(path)
        return _class(layers, name)(layers, verbose=False, **arguments)

    return Definition(
        build,
        lambda model: parse(["1x3x640x640"]),
        lambda model: f"{type(model).__name__} of ultralytics {version('ultralytics')}",
        reads_values=True,  # the strides, which are computed when it is built
    )


def _path(folder: Path, name: str) -> str:
    """A file of the user's, or of the library's own by its name; a letter of scale is kept, because
    ultralytics reads it there."""
    if os.path.isfile(name):
        return name
    if name.endswith(".pt"):
        raise SourceError(
            f"{name} is a weights file; name the YAML of its layers, as in {_PREFIX}yolo11n.yaml"
        )
    stem = name.removesuffix(".yaml")
    scaled = _SCALE.fullmatch(stem)
    plain = f"{scaled['family']}{scaled['task'] or ''}" if scaled else stem
    files = {f.stem: f for f in folder.rglob("*.yaml")}
    for known in (stem, plain):
        if known in files:
            return str(files[known].with_name(f"{stem}.yaml"))
    raise SourceError(f"unknown model {name!r} in ultralytics{suggestion(plain, files)}")


def _class(layers: dict[str, Any], name: str) -> Any:
    """The class for the head of a model."""
    from ultralytics.nn import tasks

    if os.path.basename(name).startswith("rtdetr"):
        return tasks.RTDETRDetectionModel
    classes = {
        "detect": tasks.DetectionModel,
        "segment": tasks.SegmentationModel,
        "pose": tasks.PoseModel,
        "obb": tasks.OBBModel,
        "classify": tasks.ClassificationModel,
    }
    return classes[tasks.guess_model_task(layers)]


def _own_file(spec: str) -> str:
    """The user's file that a name is of: ultralytics evaluates expressions in it."""
    name = spec.removeprefix(_PREFIX)
    return name if os.path.isfile(name) else ""


SOURCE = Source(
    "ultralytics:NAME",
    lambda spec: spec.startswith(_PREFIX),
    _find,
    "ultralytics",
    code=_own_file,
)

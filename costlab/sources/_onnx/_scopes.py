"""Which module an operator was exported from, by the metadata or name that the exporter left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from ...trace.modules import registered_modules
from ._operators import Node

_KINDS = {
    "Conv": "Conv",
    "ConvTranspose": "ConvTranspose",
    "Gemm": "Linear",
    "MatMul": "Linear",
    "LayerNormalization": "LayerNorm",
    "Relu": "ReLU",
}
# names that exporters give to values which had none
_AUTOMATIC = re.compile(r"(val|tmp|getitem|initializer|const\w*)_?\d*|onnx::\w+|\d+|_\w*")

_DEEPEST = 200  # separators in a name


@dataclass(frozen=True)
class Scope:
    """A module: its path, and the types of the modules along it where they are known."""

    path: str
    types: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """The module's own type, or "" where that is not known."""
        return dict(self.types).get(self.path, "")


def automatic(name: str) -> bool:
    """Whether an exporter made a name up."""
    return bool(_AUTOMATIC.fullmatch(name))


def part_of(model: nn.Module, path: Sequence[str]) -> nn.Module:
    """The module at a path, whose parts may have the names of a module's own attributes."""
    for part in path:
        child = registered_modules(model)[part]
        assert child is not None, "each part of a path was registered as a module"
        model = child
    return model


def split(name: str) -> tuple[str, str]:
    """Module path and own name of a parameter such as `layer1.0.conv1.weight`."""
    if _too_deep(name):
        return "", name
    words = name.replace("::", ".").replace("/", ".").replace(":", "_")
    path, _, own = words.strip(".").rpartition(".")
    return path, own or "weight"


def of(node: Node, metadata: Mapping[str, str], rank: int) -> Scope:
    """The scope of an operator: of torch's dynamo exporter by `namespace`, of others by its name.
    `rank` is that of its weight."""
    text = metadata.get("namespace", node.name)
    if _too_deep(text):
        return Scope("")
    return _by_namespace(text) if "namespace" in metadata else _by_name(node, rank)


def _too_deep(name: str) -> bool:
    """Whether modules would be nested deeper than torch can call them."""
    return len(re.findall(r"[./:]", name)) > _DEEPEST


def _by_namespace(text: str) -> Scope:
    """`: Net/layer1: torch.nn.Sequential/layer1.0: Block/add: aten.add.Tensor`."""
    entries = [part.rpartition(": ") for part in text.split("/")][:-1]
    types = tuple((path.strip(" :"), kind.rpartition(".")[2]) for path, _, kind in entries)
    return Scope(types[-1][0] if types else "", types)


def _by_name(node: Node, rank: int) -> Scope:
    """`/layer1/layer1.0/conv1/Conv`: a module of a Sequential repeats its parent's name."""
    path, before = "", ""
    for part in node.name.strip("/").split("/")[:-1]:
        own = part.removeprefix(f"{before}.") if before else part
        path = f"{path}.{own}" if path else own
        before = part
    if not path and not node.name.startswith("/"):
        path = re.sub(r"\W", "_", node.name)
    kind = node.operator.rpartition(".")[2]
    known = _KINDS.get(kind, kind)
    known += f"{rank - 2}d" if known.startswith("Conv") and rank > 2 else ""
    return Scope(path, ((path, known),) if path else ())

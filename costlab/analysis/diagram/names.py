"""What a layer is called in a box: one line, as the papers' figures have it."""

from __future__ import annotations

from collections.abc import Iterable

from ...graph import Node
from ...graph.layout import CHANNEL
from ...trace.record import Op

_NORM_OPS = {
    "native_batch_norm": "batch norm",
    "_native_batch_norm_legit": "batch norm",
    "_native_batch_norm_legit_no_training": "batch norm",
    "cudnn_batch_norm": "batch norm",
    "_batch_norm_no_update": "batch norm",
    "_batch_norm_with_update": "batch norm",
    "native_layer_norm": "layer norm",
    "native_group_norm": "group norm",
    "_fused_rms_norm": "RMS norm",
}
_NORM_MODULES = {
    "LocalResponseNorm": "LRN",
    "BatchNorm": "batch norm",
    "LayerNorm": "layer norm",
    "GroupNorm": "group norm",
    "InstanceNorm": "instance norm",
    "RMSNorm": "RMS norm",
}
_ACTIVATIONS = {
    "relu": "ReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "hardtanh": "ReLU6",
    "relu6": "ReLU6",
    "hardswish": "hard swish",
    "hardsigmoid": "hard sigmoid",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "_prelu_kernel": "PReLU",
    "mish": "Mish",
    "softplus": "softplus",
    "_log_softmax": "log softmax",
}
_ACTIVATION_MODULES = {
    "ReLU": "ReLU",
    "ReLU6": "ReLU6",
    "GELU": "GELU",
    "NewGELUActivation": "GELU",
    "SiLU": "SiLU",
    "Hardswish": "hard swish",
    "Mish": "Mish",
}
_JOINS = {"add": "+", "sub": "-", "mul": "x", "div": "/", "maximum": "max", "minimum": "min"}


def _bare(op: Op) -> str:
    return op.name.rpartition(".")[2]


def norm(op: Op) -> str:
    """ "batch norm", "LRN" and the like where an operation normalizes; "" otherwise."""
    found = next((name for kind, name in _NORM_MODULES.items() if kind in op.module_type), "")
    return found or _NORM_OPS.get(_bare(op), "")


def activation(op: Op) -> str:
    """ "ReLU" and the like where an operation is an activation function; "" otherwise."""
    return _ACTIVATION_MODULES.get(op.module_type) or _ACTIVATIONS.get(_bare(op).rstrip("_"), "")


def times(values: Iterable[int]) -> str:
    """3x3, 1x7."""
    return "x".join(map(str, values))


def layer(node: Node) -> str:
    """A layer in one line: kernel, what it is, filters; stride and groups where they are not 1."""
    if node.kind.endswith("conv"):
        return _convolution(node)
    if node.kind.endswith("pool"):
        return _pool(node)
    if node.kind == "linear":
        return f"linear, {node.width}"
    filters = len(node.layout.dims) > 2 and node.layout.roles[1] == CHANNEL
    fixed = {"cat": "filter concat" if filters else "concat", "product": "matrix product"}
    return fixed.get(node.kind) or (_join(node) if node.kind == "join" else node.kind)


def _convolution(node: Node) -> str:
    word = "conv" if node.kind == "conv" else "transposed conv"
    if node.depthwise:
        word = f"depthwise {word}"
    parts = [f"{times(node.kernel)} {word}", str(node.width), *_stride(node)]
    if node.groups > 1 and not node.depthwise:
        parts.append(f"{node.groups} groups")
    if set(node.dilation) - {1}:
        parts.append(f"dilation {_one(node.dilation)}")
    return ", ".join(parts)


def _pool(node: Node) -> str:
    if not node.layout.grid:
        return f"global {node.kind}"
    return ", ".join([f"{times(node.kernel)} {node.kind}", *_stride(node)])


def _stride(node: Node) -> list[str]:
    return [f"/{_one(node.stride)}"] if set(node.stride) - {1} else []


def _one(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else times(values)


def _join(node: Node) -> str:
    assert node.op is not None, "a join is an operation"
    name = _bare(node.op).strip("_")
    return _JOINS.get(name, name)

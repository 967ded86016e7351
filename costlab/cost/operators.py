"""What an operation is called where totals are by operator: "convolution 3x3, 32 groups"."""

from __future__ import annotations

from collections.abc import Callable

from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .convolution_names import convolution_name
from .formulas import quantized
from .operand_roles import OPERAND_ROLES, WEIGHT
from .registry import REGISTRY, aten

_ACTIVATIONS = frozenset(
    f"{name}{suffix}"
    for name in aten(
        "relu relu6 leaky_relu gelu silu elu celu selu mish sigmoid tanh hardtanh hardswish "
        "hardsigmoid softplus threshold _prelu_kernel glu log_sigmoid_forward hardshrink "
        "softshrink rrelu_with_noise"
    )
    for suffix in ("", "_")
)
_ACTIVATION_NAMES = {"_prelu_kernel": "prelu", "log_sigmoid_forward": "log_sigmoid"}
_LOOKUPS = frozenset(aten("embedding _embedding_bag _embedding_bag_forward_only"))
_SOFTMAX = frozenset(aten("_softmax _log_softmax _safe_softmax"))
_NORMS = {"batch": "batch norm", "layer": "layer norm", "group": "group norm", "rms": "RMS norm"}
# the file of a formula -> what its operations are called; the others have a rule in `_RULES`
_FAMILIES = {
    "detection": "detection",
    "factorizations": "matrix factorization",
    "interpolation": "interpolation",
    "losses": "loss",
    "recurrent": "recurrent",
    "transforms": "Fourier transform",
}


def operator_of(trace: Trace, op: Op) -> str:
    """The kind of an operation, the same on every device: a convolution by its kernel, groups and
    dilation, a pool by its window, norms and activations by name, and otherwise the family of its
    formula. A product with a weight is "linear", one of two activations a "matrix product". An
    operation of somebody else's library, or without a formula, has its own name."""
    if op.name in _LOOKUPS:
        return "embedding"
    fn = REGISTRY.find(op.name)
    package, _, family = (fn.__module__ if fn else "").rpartition(".")
    if package != f"{__package__}.formulas":
        return op.name
    rule = _RULES.get(family)
    return rule(trace, op) if rule else _FAMILIES.get(family, family)


def _product(trace: Trace, op: Op) -> str:
    weights = forms_of_params(trace)
    return "linear" if any(i in weights for i in op.inputs) else "matrix product"


@once_per_trace
def forms_of_params(trace: Trace) -> frozenset[int]:
    """The tensors that are params, or views of them or arithmetic on them alone (a transposed
    weight, a normalized one) up to the product that takes them. In a frozen model, which has no
    params, its constants stand for them."""
    found = {p.tensor for p in trace.params} or _constants(trace)
    for op in trace.forward:
        ends = WEIGHT in OPERAND_ROLES.get(op.name, ())
        if not ends and op.inputs and all(i in found for i in op.inputs):
            found.update(op.outputs)
    return frozenset(found)


def _constants(trace: Trace) -> set[int]:
    """The tensors that no operation made and that are not inputs."""
    computed = {i for op in trace.forward for i in op.outputs}
    return {i for op in trace.forward for i in op.inputs} - computed - set(trace.inputs)


def _attention(trace: Trace, op: Op) -> str:
    return "softmax" if op.name in _SOFTMAX else "attention"


def _norm(trace: Trace, op: Op) -> str:
    return next((name for word, name in _NORMS.items() if f"{word}_norm" in op.name), "weight norm")


def _pool(trace: Trace, op: Op) -> str:
    """aten.max_pool2d_with_indices -> max pool 3x3."""
    window = op.attrs.get("kernel_size", ())
    dimensions = int(op.name.split("pool")[1][0])
    sides = (window,) if isinstance(window, int) else tuple(window)
    sides = sides * dimensions if len(sides) == 1 else sides
    kind = "max pool" if "max_pool" in op.name else "average pool"
    return " ".join((kind, "x".join(map(str, sides)))).rstrip()


def _elementwise(trace: Trace, op: Op) -> str:
    if op.name not in _ACTIVATIONS:
        return "elementwise"
    name = op.name.removeprefix("aten.").removesuffix("_")
    return f"{_ACTIVATION_NAMES.get(name, name)} activation"


def _reduction(trace: Trace, op: Op) -> str:
    if "adaptive" in op.name:
        return "adaptive max pool" if "max_pool" in op.name else "adaptive average pool"
    return "reduction"


def _quantized(trace: Trace, op: Op) -> str:
    if op.name in (*quantized.CONVOLUTIONS, *quantized.TRANSPOSED) and len(op.inputs) > 1:
        return f"quantized {convolution_name(trace, op)}"
    if op.name in (*quantized.LINEAR, *quantized.HALF):
        return "quantized linear"
    return "quantized, other"


def _movement(trace: Trace, op: Op) -> str:
    return "interpolation" if "upsample" in op.name else "data movement"


_RULES: dict[str, Callable[[Trace, Op], str]] = {
    "attention": _attention,
    "convolution": convolution_name,
    "elementwise": _elementwise,
    "movement": _movement,
    "normalization": _norm,
    "pooling": _pool,
    "products": _product,
    "quantized": _quantized,
    "reduction": _reduction,
}

"""What operations do to the values of a mask: a rule an operation, from its arguments, the shape of
its output and its inputs. A rule raises KeyError, TypeError or ValueError for arguments that it
does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .registry import aten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Mask: TypeAlias = NDArray[np.bool_]

_NO_VALUE = frozenset(("dtype", "layout", "device", "pin_memory", "memory_format", "requires_grad"))

Rule = Callable[..., "Array"]
Shape = tuple[int, ...]


def _arange(attrs: Mapping[str, Any], shape: Shape) -> Array:
    import numpy as np

    start, step = attrs.get("start", 0), attrs.get("step", 1)
    return start + step * np.arange(shape[0])


def _filled(value: object) -> Rule:
    def rule(attrs: Mapping[str, Any], shape: Shape, *_: Array) -> Array:
        import numpy as np

        kind = attrs.get("dtype")
        known = attrs["fill_value"] if value is None else value
        if not isinstance(known, (int, float)):
            raise TypeError
        return np.full(shape, known, dtype=bool if kind == "bool" else None)

    return rule


def _triangle(name: str) -> Rule:
    def rule(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
        import numpy as np

        return getattr(np, name)(x, attrs.get("diagonal", 0))

    return rule


def _function(name: str) -> Rule:
    """An elementwise function of numpy's, of two tensors or of a tensor and a number."""

    def rule(attrs: Mapping[str, Any], shape: Shape, *operands: Array) -> Array:
        import numpy as np

        if attrs.keys() - _NO_VALUE - {"other"}:
            raise ValueError  # alpha and its like
        more = (attrs["other"],) if "other" in attrs else ()
        return getattr(np, name)(*operands, *more)

    return rule


def _unsqueezed(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
    return x.reshape(shape)


def _expanded(attrs: Mapping[str, Any], shape: Shape, x: Array) -> Array:
    import numpy as np

    return np.broadcast_to(x, shape)


_COMPARED = {"le": "less_equal", "lt": "less", "ge": "greater_equal", "gt": "greater"}
_ELEMENTWISE = {
    **_COMPARED,
    "eq": "equal",
    "ne": "not_equal",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "abs": "abs",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_not": "logical_not",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_not": "logical_not",
}
# the same elements in another shape
SAME = frozenset(
    aten("view _unsafe_view reshape unsqueeze squeeze expand clone detach alias lift_fresh_copy")
)
_RESHAPED = SAME - {"aten.expand"}
RULES: dict[str, Rule] = {
    "aten.arange": _arange,
    **dict.fromkeys(aten("ones new_ones"), _filled(1)),
    **dict.fromkeys(aten("zeros new_zeros"), _filled(0)),
    **dict.fromkeys(aten("full new_full"), _filled(None)),
    "aten.tril": _triangle("tril"),
    "aten.triu": _triangle("triu"),
    **{f"aten.{name}": _function(function) for name, function in _ELEMENTWISE.items()},
    **dict.fromkeys(_RESHAPED, _unsqueezed),
    "aten.expand": _expanded,
}

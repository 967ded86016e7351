"""What a file may ask for: what takes memory or time without end, or contradicts itself, is refused
in one line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

import onnx

from ..._text import shown
from ...trace.schema import MOST_ELEMENTS
from ._operators import dtype

MOST_BYTES = 2**30  # of the values that are known before the graph runs, together
MOST_OPERATORS = 250_000  # that run, each step of a loop and each call of a function counted
LONGEST_NAME = 10_000  # characters
_SMALL = 2**16  # elements of a known value that are not worth a look
_FOUR_BITS = (21, 22, 23)  # data types with two elements in a byte
_COMPLEX = (14, 15)  # data types with two numbers an element

Call = tuple[str, str]  # the domain and the name of an operator or of a function


def require_functions_end(model: onnx.ModelProto) -> None:
    """Raise ValueError for functions that call themselves, or whose calls stand for more than
    `MOST_OPERATORS` operators: onnx writes each call out."""
    bodies = {_call(f.domain, f.name): list(_calls(f.node)) for f in model.functions}
    sizes: dict[Call, int] = {}
    open_: set[Call] = set()

    def size(call: Call) -> int:
        if call not in bodies:
            return 1
        if call in open_:
            raise ValueError(f"function {shown(call[1])} calls itself")
        if call not in sizes:
            open_.add(call)
            sizes[call] = 1 + sum(map(size, bodies[call]))
            open_.remove(call)
        return sizes[call]

    if sum(map(size, _calls(model.graph.node))) > MOST_OPERATORS:
        raise ValueError(f"its functions stand for more than {MOST_OPERATORS:,} operators")


def _call(domain: str, name: str) -> Call:
    return ("" if domain == "ai.onnx" else domain), name


def _calls(nodes: Iterable[onnx.NodeProto]) -> Iterator[Call]:
    """What operators call, those of their bodies too."""
    for node in nodes:
        yield _call(node.domain, node.op_type)
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _calls(graph.node)


def require_names(node: onnx.NodeProto) -> None:
    """Raise ValueError for an operator without a type or a result, and for names that are too
    long."""
    if not node.op_type or not any(node.output):
        raise ValueError(f"operator {shown(node.name)!r} has no type or no result")
    names = (node.name, node.op_type, node.domain, *node.input, *node.output)
    if max(map(len, names)) > LONGEST_NAME:
        raise ValueError(f"a name has more than {LONGEST_NAME:,} characters")


def require_single(names: Iterable[str]) -> None:
    """Raise ValueError for a value that is made twice in one graph."""
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"the value {shown(name)!r} is made twice")


def require_whole(tensor: onnx.TensorProto) -> None:
    """Raise ValueError for a tensor of dimensions that none has, and for one whose data do not fill
    them. One without any data is a shape, as in files whose weights were taken out."""
    dims, name = tuple(tensor.dims), shown(tensor.name)
    if any(n < 0 for n in dims) or math.prod(n or 1 for n in dims) > MOST_ELEMENTS:
        raise ValueError(f"tensor {name!r} has dimensions that no tensor has")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return
    held = _held(tensor)
    if held is not None and math.prod(dims) not in held:
        shape = "x".join(map(str, dims)) or "1"
        raise ValueError(f"the data of tensor {name!r} are not those of {shape} elements")


def most_bytes(tensor: onnx.TensorProto) -> int:
    """Bytes of a tensor's data."""
    return math.prod(tensor.dims) * dtype(tensor.data_type).itemsize


def _held(tensor: onnx.TensorProto) -> Sequence[int] | None:
    """How many elements the data of a tensor may be; None where it has none."""
    packed = tensor.data_type in _FOUR_BITS
    if tensor.HasField("raw_data"):
        n, rest = divmod(len(tensor.raw_data), dtype(tensor.data_type).itemsize)
        return () if rest else (2 * n - 1, 2 * n) if packed else (n,)
    fields = (tensor.float_data, tensor.int32_data, tensor.int64_data)
    n = max(map(len, (*fields, tensor.double_data, tensor.uint64_data, tensor.string_data)))
    if not n:
        return None
    return (n // 2,) if tensor.data_type in _COMPLEX else (n, 2 * n - 1, 2 * n) if packed else (n,)


class KnownValues(TorchDispatchMode):
    """Refuses what would make the known values take more than `MOST_BYTES`, before it is computed.
    `values()` are those that there are."""

    def __init__(self, values: Callable[[], Iterable[Any]]):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self._values = values

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # see costlab.trace.recorder
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if _bound((args, given)) > _SMALL:
            made = _made(func, args, given)
            if made > _SMALL and made + _bytes(self._values()) > MOST_BYTES:
                raise ValueError(f"constants take more than {MOST_BYTES >> 30} GiB")
        return func(*args, **given)


def _bound(arguments: Any) -> float:
    """No fewer elements than an operation on these arguments makes."""
    bound = 1.0
    for leaf in pytree.tree_leaves(arguments):
        if isinstance(leaf, torch.Tensor):
            bound *= max(1, leaf.numel())
        elif type(leaf) in (int, float) and leaf:
            bound *= max(abs(leaf), 1 / abs(leaf))
    return bound


def _made(func: Any, args: Any, kwargs: dict[str, Any]) -> int:
    """Bytes that an operation makes, by its shapes; 0 where these depend on values, and are no
    larger than what it is given."""
    if "device" in kwargs:
        kwargs = {**kwargs, "device": torch.device("meta")}
    given = (args, kwargs)
    args, kwargs = pytree.tree_map_only(torch.Tensor, _on_meta, given)
    try:
        made = func(*args, **kwargs)
        return _bytes([made, args, kwargs]) - _bytes([args, kwargs])
    except (RuntimeError, NotImplementedError):
        return 0


def _on_meta(t: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")


def _bytes(values: Iterable[Any]) -> int:
    """Bytes of the memory that tensors have, what several share counted once."""
    tensors = [t for t in pytree.tree_leaves(list(values)) if isinstance(t, torch.Tensor)]
    held = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in tensors}  # pyright: ignore[reportPrivateUsage]
    return sum(held.values())

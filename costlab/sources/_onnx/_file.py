"""An ONNX file as data: its graph, its tensors and the external data beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import onnx
from onnx import external_data_helper, inliner, numpy_helper

from ..._narrow import is_list
from .._inputs import parse, shape_text
from .._model import Inputs, SourceError
from ._limits import most_bytes, require_functions_end, require_names, require_whole
from ._operators import Node, dtype, short

_LARGEST = 2**31 - 1  # bytes of a protobuf message


@dataclass(frozen=True)
class File:
    """A file that was read. `model` is its message; `digest` changes with its bytes."""

    path: str
    model: onnx.ModelProto
    digest: str
    shapes: dict[str, onnx.ValueInfoProto] = field(default_factory=dict[str, onnx.ValueInfoProto])

    @property
    def origin(self) -> str:
        """What wrote the file, for the provenance."""
        producer = f"{self.model.producer_name} {self.model.producer_version}".strip()
        return f"{os.path.basename(self.path)}, ONNX graph{f' by {producer}' if producer else ''}"

    def build(self) -> torch.nn.Module:
        """The graph as a module. Parameters are on `meta` in its context, otherwise the file's."""
        from ._graph import Graph

        return Graph(self)

    def inputs(self) -> Inputs:
        """Inputs of the shapes that the file states, a batch of 1 where that is dynamic.

        Raises SourceError where another dimension is dynamic."""
        found: list[str] = []
        for value in arguments(self.model.graph):
            dims, kind = stated(value)
            for i, n in enumerate(dims):
                if not isinstance(n, int) and i:
                    example = shape_text([n if isinstance(n, int) else 16 for n in (1, *dims[1:])])
                    raise SourceError(
                        f"{self.path}: dimension {i} ({short(n)}) of input "
                        f"{short(value.name)} is dynamic; give every input in order, "
                        f"for example --input {example}:{_short(kind)}"
                    )
            sized = shape_text([n if isinstance(n, int) else 1 for n in dims])
            found.append(f"{sized}:{_short(kind)}")
        return parse(found)

    def tensor(self, proto: onnx.TensorProto) -> torch.Tensor:
        """The values of a tensor, read from the file or from its external data.

        Raises SourceError for external data that is missing or not beside the file."""
        require_whole(proto)
        if external_data_helper.uses_external_data(proto):
            proto = self._external(proto)
        try:
            return from_numpy(numpy_helper.to_array(proto))
        except (TypeError, ValueError) as e:
            raise SourceError(
                f"{self.path}: cannot read the data of tensor {short(proto.name)}: {e}"
            ) from None

    def _external(self, proto: onnx.TensorProto) -> onnx.TensorProto:
        location = next((e.value for e in proto.external_data if e.key == "location"), "")
        folder = os.path.dirname(os.path.realpath(self.path))
        inside = os.path.realpath(os.path.join(folder, location))
        if os.path.isabs(location) or os.path.commonpath([folder, inside]) != folder:
            raise SourceError(
                f"{self.path}: external data {short(location)!r} is not in the folder of the "
                "file; external data is read from there only"
            )
        if os.path.isfile(inside) and _stated_bytes(proto, inside) > most_bytes(proto):
            raise SourceError(
                f"{self.path}: external data {short(location)!r} are more than tensor "
                f"{short(proto.name)} holds"
            )
        copy = onnx.TensorProto()
        copy.CopyFrom(proto)
        try:
            external_data_helper.load_external_data_for_tensor(copy, folder)
        except Exception as e:  # of onnx's checker, of the system, or of a size that is wrong
            reason = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
            raise SourceError(
                f"{self.path}: cannot read external data {short(location)!r}: {reason}"
            ) from None
        return copy

    def inferred(self, name: str) -> tuple[tuple[int, ...], torch.dtype]:
        """Shape and dtype of a value by ONNX's shape inference, for operators without a mapping.

        Raises ValueError where they are not known."""
        if not self.shapes:
            graph = onnx.shape_inference.infer_shapes(self.model).graph
            for value in (*graph.value_info, *graph.output):
                self.shapes[value.name] = value
        if name not in self.shapes:
            raise ValueError(f"the shape of {short(name)} is not known by ONNX's shape inference")
        dims, kind = stated(self.shapes[name])
        fixed = tuple(n for n in dims if isinstance(n, int))
        if fixed != dims:
            raise ValueError(
                f"the shape of {short(name)} is dynamic; export the model with fixed shapes"
            )
        return fixed, kind


def read(path: str) -> File:
    """Read a file; nothing in it is executed. Raises SourceError for what is not an ONNX model."""
    try:
        if os.path.getsize(path) > _LARGEST:
            raise SourceError(
                f"{path} has more than 2 GiB, the limit of an ONNX file; save the model with its "
                "weights as external data"
            )
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise SourceError(f"cannot read {path}: {e.strerror}") from None
    try:
        model = onnx.load_model_from_string(data)
        if not model.graph.node or not model.opset_import:
            raise ValueError
        model = _inlined(path, model)
    except SourceError:
        raise
    except Exception:  # protobuf's decoder and onnx's inliner each have their own
        raise SourceError(f"{path} is damaged, or is not an ONNX model") from None
    return File(path, model, hashlib.sha256(data).hexdigest()[:16])


def _inlined(path: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the calls of its functions written out. Raises SourceError where they have no
    end."""
    if not model.functions:
        return model
    try:
        require_functions_end(model)
    except (ValueError, RecursionError) as e:
        why = str(e) if isinstance(e, ValueError) else "functions are nested too deep"
        raise SourceError(f"{path}: {why}") from None
    return inliner.inline_local_functions(model)


def _stated_bytes(proto: onnx.TensorProto, path: str) -> int:
    """Bytes that a tensor takes of a file: those that it states, otherwise up to the end."""
    given = {e.key: int(e.value) for e in proto.external_data if e.value.isdecimal()}
    return given.get("length") or os.path.getsize(path) - given.get("offset", 0)


def arguments(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a caller gives; old files list the initializers there too."""
    own = {t.name for t in graph.initializer}
    return [value for value in graph.input if value.name not in own]


def stated(value: onnx.ValueInfoProto) -> tuple[tuple[int | str, ...], torch.dtype]:
    """Shape and dtype of a value; a dynamic dimension is its name. Raises SourceError for a value
    that is not a tensor."""
    if value.type.WhichOneof("value") != "tensor_type":
        raise SourceError(f"input {short(value.name)} of the ONNX file is not a tensor")
    tensor = value.type.tensor_type
    dims = tuple(
        d.dim_value if d.WhichOneof("value") == "dim_value" and d.dim_value >= 0 else _symbol(d)
        for d in tensor.shape.dim
    )
    try:
        return dims, dtype(tensor.elem_type)
    except ValueError as e:
        raise SourceError(f"input {short(value.name)}: {e}") from None


def _symbol(dim: onnx.TensorShapeProto.Dimension) -> str:
    """The name of a dynamic dimension; some files write -1 for one."""
    return dim.dim_param or "?"


def _short(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")


def from_numpy(array: NDArray[Any]) -> torch.Tensor:
    """A tensor of an array, whose dtype may be one of ml_dtypes."""
    if array.dtype.name == "bfloat16":
        return _shared(array.view(np.int16).copy()).view(torch.bfloat16)
    if array.dtype.name.startswith("float8"):
        kind = getattr(torch, array.dtype.name, torch.float8_e4m3fn)
        return _shared(array.view(np.uint8).copy()).view(kind)
    if array.dtype.name in ("int4", "uint4"):
        array = array.astype(np.int8 if array.dtype.name == "int4" else np.uint8)
    return _shared(np.array(array))


def _shared(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(array)  # pyright: ignore[reportUnknownMemberType] torch has no types here


def nodes(file: File, graph: onnx.GraphProto) -> list[tuple[Node, Mapping[str, str]]]:
    """The operators in order, each with its metadata."""
    opsets = {o.domain: o.version for o in file.model.opset_import}
    found: list[tuple[Node, Mapping[str, str]]] = []
    for n in graph.node:
        require_names(n)
        domain = "" if n.domain == "ai.onnx" else n.domain
        attrs = {a.name: _attribute(file, a) for a in n.attribute}
        name = f"{domain}.{n.op_type}" if domain else n.op_type
        node = Node(name, tuple(n.input), tuple(n.output), attrs, opsets.get(domain, 1), n.name)
        found.append((node, {m.key: m.value for m in n.metadata_props}))
    return found


def _attribute(file: File, attribute: onnx.AttributeProto) -> object:
    value: object = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return file.tensor(value)
    return [_text(v) for v in value] if is_list(value) else _text(value)


def _text(value: object) -> object:
    """Text is bytes in a file."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value

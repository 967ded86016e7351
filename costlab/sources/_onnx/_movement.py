"""Operators that move, shape or make values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._attributes import FLOAT, FLOATS, INT, INTS, TENSOR, TEXT
from ._operators import Node, axes, dtype, floats, ints, number, operator, require_pieces

_LONGEST = 2**22  # elements whose order is turned round


@operator("Shape")
def shape(node: Node, x: Tensor) -> Tensor:
    found = list(x.shape)[node.get("start", INT, 0) : node.get("end", INT, x.dim())]
    return torch.tensor(found, dtype=torch.int64)


@operator("Size")
def size(node: Node, x: Tensor) -> Tensor:
    return torch.tensor(x.numel(), dtype=torch.int64)


@operator("Constant")
def constant(node: Node) -> Tensor:
    """Of `value`, a tensor, or of a number or a list of them, such as `value_floats`."""
    name = next((k for k in node.attrs if k.startswith("value_")), "value")
    if name == "value":
        return node.get("value", TENSOR)
    kind = torch.float32 if "float" in name else torch.int64
    return torch.tensor(node.attrs[name], dtype=kind)


@operator("ConstantOfShape")
def constant_of_shape(node: Node, shape: Tensor) -> Tensor:
    value = node.get("value", TENSOR, None)
    kind = torch.float32 if value is None else value.dtype
    fill = 0 if value is None else number(value)
    return torch.full(ints(shape), fill, dtype=kind, device="cpu")


@operator("Range")
def numbers(node: Node, start: Tensor, limit: Tensor, step: Tensor) -> Tensor:
    kind = start.dtype
    return torch.arange(number(start), number(limit), number(step), dtype=kind, device="cpu")


@operator("EyeLike")
def eye_like(node: Node, x: Tensor) -> Tensor:
    code = node.get("dtype", INT, 0)
    kind = dtype(code) if code else x.dtype
    return torch.eye(*x.shape, dtype=kind, device=x.device)


@operator("RandomNormalLike", "RandomUniformLike")
def random_like(node: Node, x: Tensor) -> Tensor:
    return (torch.randn_like if "Normal" in node.operator else torch.rand_like)(x)


@operator("Reshape")
def reshape(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    wanted = ints(shape)
    if not node.get("allowzero", INT, 0):
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return x.reshape(wanted)


@operator("Flatten")
def flatten(node: Node, x: Tensor) -> Tensor:
    """To two dimensions, split at `axis`."""
    axis = node.get("axis", INT, 1)
    axis = axis + x.dim() if axis < 0 else axis
    if axis == 1:
        return torch.flatten(x, 1) if x.dim() > 1 else x.unsqueeze(1)
    rows = 1
    for n in x.shape[:axis]:
        rows *= n
    return x.reshape(rows, -1)


@operator("Transpose")
def transpose(node: Node, x: Tensor) -> Tensor:
    order = node.get("perm", INTS, list(range(x.dim()))[::-1])
    moved = [i for i, p in enumerate(order) if i != p]
    if not moved:
        return x
    return x.transpose(*moved) if len(moved) == 2 else x.permute(order)


@operator("Squeeze")
def squeeze(node: Node, x: Tensor, operand: Tensor | None = None) -> Tensor:
    dims = axes(node, operand)
    return x.squeeze() if dims is None else x.squeeze(dims[0] if len(dims) == 1 else tuple(dims))


@operator("Unsqueeze")
def unsqueeze(node: Node, x: Tensor, operand: Tensor | None = None) -> Tensor:
    dims = axes(node, operand) or []
    whole = x.dim() + len(dims)
    for d in sorted(d % whole for d in dims):
        x = x.unsqueeze(d)
    return x


@operator("Expand")
def expand(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    sizes = torch.broadcast_shapes(x.shape, ints(shape))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return x.expand(cast("torch.Size", sizes))


@operator("Concat")
def concat(node: Node, *inputs: Tensor) -> Tensor:
    return torch.cat(inputs, node.get("axis", INT, 0))


@operator("Split")
def split(node: Node, x: Tensor, parts: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = node.get("axis", INT, 0)
    sizes = node.get("split", INTS, None) if parts is None else ints(parts)
    if sizes is None:
        count = node.get("num_outputs", INT, len(node.outputs))
        require_pieces(count)
        return torch.split(x, -(-x.shape[axis] // count), axis)
    return torch.split(x, sizes, axis)


@operator("Slice")
def slice_(
    node: Node,
    x: Tensor,
    starts: Tensor | None = None,
    ends: Tensor | None = None,
    dims: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """Before opset 10 the limits are attributes, since then operands."""
    first = node.get("starts", INTS) if starts is None else ints(starts)
    past = node.get("ends", INTS) if ends is None else ints(ends)
    along = axes(node, dims)
    each = [1] * len(first) if steps is None else ints(steps)
    for d, start, end, step in zip(
        range(len(first)) if along is None else along, first, past, each, strict=True
    ):
        n = x.shape[d]
        if step < 0:
            chosen = range(n)[slice(*_backward(start, end, step, n))]
            if len(chosen) > _LONGEST:
                raise ValueError(f"Slice of more than {_LONGEST:,} elements backward")
            chosen = torch.tensor(chosen)
            x = x.index_select(d, chosen)
        elif (start, end) != (0, n) and (start > 0 or start < 0 or end < n) or step != 1:
            x = x[(slice(None),) * (d % x.dim()) + (slice(start, end, step),)]
    return x


def _backward(start: int, end: int, step: int, n: int) -> tuple[int, int | None, int]:
    """A slice in descending order; an end before the first element is none."""
    return start, (None if end < -n else end), step


@operator("Gather", scalars=0, weights=(0,))
def gather(node: Node, x: Tensor, indices: Tensor | int) -> Tensor:
    axis = node.get("axis", INT, 0)
    if not isinstance(indices, Tensor):
        return x.select(axis, indices)
    if axis == 0 and x.dim() == 2 and x.dtype.is_floating_point:
        return F.embedding(indices, x)
    axis %= x.dim()
    return x[(slice(None),) * axis + (indices,)]


@operator("GatherElements")
def gather_elements(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    return torch.gather(x, node.get("axis", INT, 0), indices)


@operator("GatherND")
def gather_nd(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    if node.get("batch_dims", INT, 0):
        raise ValueError("GatherND with batch_dims has no mapping")
    require_pieces(indices.shape[-1])
    return x[tuple(indices.unbind(-1))]


@operator("ScatterElements")
def scatter_elements(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    return x.scatter(node.get("axis", INT, 0), indices, updates)


@operator("ScatterND")
def scatter_nd(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    require_pieces(indices.shape[-1])
    return x.index_put(tuple(indices.unbind(-1)), updates)


@operator("NonZero")
def nonzero(node: Node, x: Tensor) -> Tensor:
    return torch.nonzero(x).t()


@operator("Tile")
def tile(node: Node, x: Tensor, repeats: Tensor) -> Tensor:
    return x.repeat(ints(repeats))


@operator("Pad")
def pad(
    node: Node,
    x: Tensor,
    around: Tensor | None = None,
    value: Tensor | None = None,
    dims: Tensor | None = None,
) -> Tensor:
    flat = _flat_pads(node, x, around, dims)
    if not flat:
        return x
    given = node.get("mode", TEXT, "")
    mode = {"edge": "replicate", "wrap": "circular"}.get(given, given)
    if mode in ("", "constant"):
        fill = node.get("value", FLOAT, 0.0) if value is None else number(value)
        return F.pad(x, flat, value=fill)
    return F.pad(x, flat, mode=mode)


def _flat_pads(node: Node, x: Tensor, around: Tensor | None, dims: Tensor | None) -> list[int]:
    """The pads as torch takes them, from the last dimension on; empty where all are zero. ONNX has
    those before every dimension, then those behind."""
    amounts = node.get("pads", INTS) if around is None else ints(around)
    padded = range(x.dim()) if dims is None else [d % x.dim() for d in ints(dims)]
    half = len(amounts) // 2
    each = {d: (amounts[i], amounts[half + i]) for i, d in enumerate(padded)}
    lowest = min((d for d, pair in each.items() if pair != (0, 0)), default=x.dim())
    return [n for d in range(x.dim() - 1, lowest - 1, -1) for n in each.get(d, (0, 0))]


@operator("DepthToSpace")
def depth_to_space(node: Node, x: Tensor) -> Tensor:
    block = node.get("blocksize", INT)
    if node.get("mode", TEXT, "DCR") == "CRD":
        return F.pixel_shuffle(x, block)
    n, c, h, w = x.shape
    x = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // block**2, h * block, w * block)


@operator("SpaceToDepth")
def space_to_depth(node: Node, x: Tensor) -> Tensor:
    block = node.get("blocksize", INT)
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * block**2, h // block, w // block)


@operator("Resize", "Upsample")
def resize(node: Node, x: Tensor, *rest: Tensor | None) -> Tensor:
    """The first two dimensions are kept."""
    wanted = _new_sizes(node, x, rest)
    if wanted[:2] != list(x.shape[:2]):
        raise ValueError("Resize of the batch or channel dimension has no mapping")
    n = x.dim() - 2
    names = {1: "linear", 2: "bilinear", 3: "trilinear"}
    kinds = {"linear": names.get(n), "cubic": "bicubic"}
    kind = kinds.get(node.get("mode", TEXT, "nearest")) or "nearest"
    corners = node.get("coordinate_transformation_mode", TEXT, "half_pixel") == "align_corners"
    align = None if kind == "nearest" else corners
    return F.interpolate(x, wanted[2:], mode=kind, align_corners=align)


def _new_sizes(node: Node, x: Tensor, rest: Sequence[Tensor | None]) -> list[int]:
    """From `sizes` or from `scales`; before opset 11 there are scales alone."""
    before_11 = node.operator == "Upsample" or node.opset < 11
    scales, sizes = (rest[0] if rest else None, None) if before_11 else ((*rest, None, None)[1:3])
    if sizes is not None and sizes.numel():
        wanted = ints(sizes)
        return wanted if len(wanted) == x.dim() else [*x.shape[:2], *wanted][-x.dim() :]
    factors = node.get("scales", FLOATS) if scales is None else floats(scales)
    return [int(n * f) for n, f in zip(x.shape, factors, strict=True)]


@operator("GridSample")
def grid_sample(node: Node, x: Tensor, grid: Tensor) -> Tensor:
    given = node.get("mode", TEXT, "")
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(given, given) or "bilinear"
    corners = bool(node.get("align_corners", INT, 0))
    padding = node.get("padding_mode", TEXT, "zeros")
    return F.grid_sample(x, grid, mode, padding, corners)

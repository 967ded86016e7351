"""Operators that move, shape or make values."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch.utils._python_dispatch import _disable_current_modes

from ._operators import axes, dtype, ints, number, operator


@operator("Shape")
def shape(node, x):
    found = list(x.shape)[node.get("start", 0) : node.get("end", x.dim())]
    return torch.tensor(found, dtype=torch.int64)


@operator("Size")
def size(node, x):
    return torch.tensor(x.numel(), dtype=torch.int64)


@operator("Constant")
def constant(node):
    if "value" in node.attrs:
        return node.attrs["value"]
    found = next(node.attrs[k] for k in node.attrs if k.startswith("value_"))
    kind = torch.float32 if any("float" in k for k in node.attrs) else torch.int64
    return torch.tensor(found, dtype=kind)


@operator("ConstantOfShape")
def constant_of_shape(node, shape):
    value = node.get("value")
    kind = torch.float32 if value is None else value.dtype
    fill = 0 if value is None else number(value)
    return torch.full(ints(shape), fill, dtype=kind, device="cpu")


@operator("Range")
def numbers(node, start, limit, step):
    kind = start.dtype
    return torch.arange(number(start), number(limit), number(step), dtype=kind, device="cpu")


@operator("EyeLike")
def eye_like(node, x):
    kind = dtype(node.get("dtype")) if node.get("dtype") else x.dtype
    return torch.eye(*x.shape, dtype=kind, device=x.device)


@operator("RandomNormalLike", "RandomUniformLike")
def random_like(node, x):
    return (torch.randn_like if "Normal" in node.operator else torch.rand_like)(x)


@operator("Reshape")
def reshape(node, x, shape):
    wanted = ints(shape)
    if not node.get("allowzero", 0):
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return x.reshape(wanted)


@operator("Flatten")
def flatten(node, x):
    """To two dimensions, split at `axis`."""
    axis = node.get("axis", 1)
    axis = axis + x.dim() if axis < 0 else axis
    if axis == 1:
        return torch.flatten(x, 1) if x.dim() > 1 else x.unsqueeze(1)
    rows = 1
    for n in x.shape[:axis]:
        rows *= n
    return x.reshape(rows, -1)


@operator("Transpose")
def transpose(node, x):
    order = node.get("perm", list(range(x.dim()))[::-1])
    moved = [i for i, p in enumerate(order) if i != p]
    if not moved:
        return x
    return x.transpose(*moved) if len(moved) == 2 else x.permute(order)


@operator("Squeeze")
def squeeze(node, x, operand=None):
    dims = axes(node, operand)
    return x.squeeze() if dims is None else x.squeeze(dims[0] if len(dims) == 1 else tuple(dims))


@operator("Unsqueeze")
def unsqueeze(node, x, operand=None):
    dims = axes(node, operand) or []
    whole = x.dim() + len(dims)
    for d in sorted(d % whole for d in dims):
        x = x.unsqueeze(d)
    return x


@operator("Expand")
def expand(node, x, shape):
    return x.expand(torch.broadcast_shapes(x.shape, tuple(ints(shape))))


@operator("Concat")
def concat(node, *inputs):
    return torch.cat(inputs, node.get("axis", 0))


@operator("Split")
def split(node, x, parts=None):
    axis = node.get("axis", 0)
    sizes = node.get("split") if parts is None else ints(parts)
    if sizes is None:
        count = node.get("num_outputs", len(node.outputs))
        sizes = -(-x.shape[axis] // count)
    return torch.split(x, sizes, axis)


@operator("Slice")
def slice_(node, x, starts=None, ends=None, dims=None, steps=None):
    starts = node.get("starts") if starts is None else ints(starts)
    ends = node.get("ends") if ends is None else ints(ends)
    dims = axes(node, dims)
    steps = [1] * len(starts) if steps is None else ints(steps)
    for d, start, end, step in zip(
        range(len(starts)) if dims is None else dims, starts, ends, steps, strict=True
    ):
        n = x.shape[d]
        if step < 0:
            chosen = torch.tensor(list(range(n))[slice(*_backward(start, end, step, n))])
            x = x.index_select(d, chosen)
        elif (start, end) != (0, n) and (start > 0 or start < 0 or end < n) or step != 1:
            x = x[(slice(None),) * (d % x.dim()) + (slice(start, end, step),)]
    return x


def _backward(start, end, step, n):
    """A slice in descending order; an end before the first element is none."""
    return start, (None if end < -n else end), step


@operator("Gather", scalars=0, weights=(0,))
def gather(node, x, indices):
    axis = node.get("axis", 0)
    if not isinstance(indices, torch.Tensor):
        return x.select(axis, indices)
    if axis == 0 and x.dim() == 2 and x.dtype.is_floating_point:
        return F.embedding(indices, x)
    axis %= x.dim()
    return x[(slice(None),) * axis + (indices,)]


@operator("GatherElements")
def gather_elements(node, x, indices):
    return torch.gather(x, node.get("axis", 0), indices)


@operator("GatherND")
def gather_nd(node, x, indices):
    batch = node.get("batch_dims", 0)
    if batch:
        raise ValueError("GatherND with batch_dims has no mapping")
    return x[tuple(indices.unbind(-1))]


@operator("ScatterElements")
def scatter_elements(node, x, indices, updates):
    return x.scatter(node.get("axis", 0), indices, updates)


@operator("ScatterND")
def scatter_nd(node, x, indices, updates):
    return x.index_put(tuple(indices.unbind(-1)), updates)


@operator("NonZero")
def nonzero(node, x):
    return torch.nonzero(x).t()


@operator("Tile")
def tile(node, x, repeats):
    return x.repeat(ints(repeats))


@operator("Pad")
def pad(node, x, around=None, value=None, dims=None):
    amounts = node.get("pads") if around is None else ints(around)
    dims = list(range(x.dim())) if dims is None else [d % x.dim() for d in ints(dims)]
    half = len(amounts) // 2
    each = {d: (amounts[i], amounts[half + i]) for i, d in enumerate(dims)}
    if all(pair == (0, 0) for pair in each.values()):
        return x
    lowest = min(d for d, pair in each.items() if pair != (0, 0))
    flat = [n for d in range(x.dim() - 1, lowest - 1, -1) for n in each.get(d, (0, 0))]
    given: str = node.get("mode", "")
    mode = {"edge": "replicate", "wrap": "circular"}.get(given, given)
    if mode in ("", "constant"):
        fill = node.get("value", 0.0) if value is None else number(value)
        return F.pad(x, flat, value=fill)
    return F.pad(x, flat, mode=mode)


@operator("DepthToSpace")
def depth_to_space(node, x):
    block = node.get("blocksize")
    if node.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, block)
    n, c, h, w = x.shape
    x = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // block**2, h * block, w * block)


@operator("SpaceToDepth")
def space_to_depth(node, x):
    block = node.get("blocksize")
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * block**2, h // block, w // block)


@operator("Resize", "Upsample")
def resize(node, x, *rest):
    """Sizes from `sizes` or from `scales`; the first two dimensions are kept."""
    before_11 = node.operator == "Upsample" or node.opset < 11
    scales, sizes = (rest[0] if rest else None, None) if before_11 else ((*rest, None, None)[1:3])
    if sizes is not None and sizes.numel():
        wanted = ints(sizes)
        wanted = wanted if len(wanted) == x.dim() else [*x.shape[:2], *wanted][-x.dim() :]
    else:
        factors = node.get("scales") if scales is None else _floats(scales)
        wanted = [int(n * f) for n, f in zip(x.shape, factors, strict=True)]
    if wanted[:2] != list(x.shape[:2]):
        raise ValueError("Resize of the batch or channel dimension has no mapping")
    mode, n = node.get("mode", "nearest"), x.dim() - 2
    names = {1: "linear", 2: "bilinear", 3: "trilinear"}
    kind = {"linear": names.get(n), "cubic": "bicubic"}.get(mode, "nearest")
    corners = node.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    align = None if kind == "nearest" else corners
    return F.interpolate(x, wanted[2:], mode=kind or "nearest", align_corners=align)


def _floats(value):
    with _disable_current_modes():
        return value.flatten().tolist()


@operator("GridSample")
def grid_sample(node, x, grid):
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(node.get("mode", ""), node.get("mode"))
    corners = bool(node.get("align_corners", 0))
    padding = node.get("padding_mode", "zeros")
    return F.grid_sample(x, grid, mode or "bilinear", padding, corners)

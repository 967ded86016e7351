"""How an operation moves and mixes positions: one rule an operation, read by the layout and the
receptive field alike.

A rule takes a `Case` and returns a `Plan`: for each tensor that the output depends on, the moves
that bring it to the output's shape. An operation without a rule has no plan, and what depends on
positions after it is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, prod

import numpy as np

from ..trace.record import Op, Trace

NOWHERE = np.iinfo(np.int64).min  # a tap that no position answers
GRIDS = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


@dataclass(frozen=True)
class Permute:
    """Dimension i of the result is dimension `order[i]`."""

    order: tuple[int, ...]


@dataclass(frozen=True)
class Reshape:
    """The same elements in the same order, as `shape`."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Insert:
    """A dimension of size 1 before `dim`."""

    dim: int


@dataclass(frozen=True, eq=False)
class Windows:
    """Along `dim`, output position i sees the input positions `taps[i]` (NOWHERE: none); those
    outside the input are padding. `stride`: input positions between neighbours of the output."""

    dim: int
    taps: np.ndarray
    stride: Fraction = Fraction(1)


@dataclass(frozen=True)
class Mix:
    """Along `dim`, each of `size` outputs sees all inputs; `features` where the outputs are new
    channels of what was there."""

    dim: int
    size: int
    features: bool = False


@dataclass(frozen=True)
class Reduce:
    """The dimensions `dims` become one value; they stay with size 1 where `keep`."""

    dims: tuple[int, ...]
    keep: bool


@dataclass(frozen=True)
class Scatter:
    """Along `dim`, `size` outputs come from positions that depend on values."""

    dim: int
    size: int


@dataclass(frozen=True)
class Everything:
    """Every output sees all of the tensor."""


Move = Permute | Reshape | Insert | Windows | Mix | Reduce | Scatter | Everything


@dataclass(frozen=True)
class Operand:
    """An input tensor (by its place among the inputs) and the moves that bring it to the output's
    shape, but for broadcasting."""

    place: int
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`operands` are broadcast together, or joined along dimension `concat`. `roles`: what the
    operation takes each dimension of its first operand to be. `features`: (output dimension,
    operand, its dimension) of channels that a product makes of that dimension. `channels`: an
    output dimension that holds new channels."""

    operands: tuple[Operand, ...]
    concat: int | None = None
    roles: tuple[tuple[int, str], ...] = ()
    features: tuple[int, int, int] | None = None
    channels: int | None = None


@dataclass(frozen=True)
class Case:
    """One output of one operation: shapes of the tensor inputs, the output's shape and its place
    among the outputs."""

    op: Op
    shapes: tuple[tuple[int, ...], ...]
    out: tuple[int, ...]
    place: int

    def attr(self, name, default=None):
        """An argument of the operation."""
        value = self.op.attrs.get(name)
        return default if value is None else value

    def dim(self, name="dim", default=0) -> int:
        """A dimension argument, counted from the front."""
        return self.attr(name, default) % max(1, len(self.shapes[0]))

    def dims(self, name="dim") -> tuple[int, ...]:
        """Dimension arguments; all where none are given."""
        value, n = self.attr(name, ()), len(self.shapes[0])
        value = (value,) if isinstance(value, int) else tuple(value)
        return tuple(d % n for d in value) if value else tuple(range(n))


_RULES: dict[str, Callable[[Case], Plan | None]] = {}


def rule(*names: str):
    """Register `fn(case) -> Plan or None`; names without a namespace are aten's."""

    def register(fn):
        _RULES.update({n if "." in n else f"aten.{n}": fn for n in names})
        return fn

    return register


def plan(trace: Trace, op: Op, place: int) -> Plan | None:
    """How output `place` of an operation depends on its inputs; None where that is not known."""
    fn = _RULES.get(op.name) or _RULES.get(op.name.rstrip("_"))
    if fn is None:
        return None
    out = trace.tensors[op.outputs[place]].shape
    return fn(Case(op, tuple(trace.shapes(op)), out, place))


def plain(*moves: Move, **kwargs) -> Plan:
    """One operand, the first input."""
    return Plan((Operand(0, moves),), **kwargs)


def ints(value, n: int, default: int = 1) -> tuple[int, ...]:
    """An argument of one number or one a dimension, as n numbers."""
    if value is None or value == ():
        return (default,) * n
    value = (value,) if isinstance(value, int) else tuple(value)
    return value if len(value) == n else value[:1] * n


# --- each element by itself ---

_POINTWISE = """
_conj _fake_quantize_learnable_per_tensor_affine _prelu_kernel _to_copy abs acos acosh add addcdiv
addcmul alias angle asin asinh atan atan2 atanh bernoulli bitwise_and bitwise_not bitwise_or
bitwise_xor ceil celu clamp clamp_max clamp_min clone contiguous copysign cos cosh deg2rad
dequantize detach digamma div dropout elu eq erf erfc erfinv exp exp2 expand expand_as expm1
fake_quantize_per_tensor_affine fill float_power floor floor_divide fmax fmin fmod frac ge gelu gt
hardshrink hardsigmoid hardswish hardtanh heaviside hypot isfinite isinf isnan le leaky_relu lerp
lgamma lift_fresh log log10 log1p log2 log_sigmoid_forward logaddexp logaddexp2 logical_and
logical_not logical_or logical_xor logit lt masked_fill maximum minimum mish mul nan_to_num
native_dropout ne neg nextafter polygamma positive pow prelu quantize_per_tensor rad2deg real
reciprocal relu relu6 remainder round rrelu_with_noise rsqrt rsub selu sgn sigmoid sign signbit
silu sin sinc sinh softplus softshrink sqrt square sub tan tanh threshold to true_divide trunc
where xlogy zero
""".split()  # noqa: SIM905  one name a line would take 130


@rule(*_POINTWISE, "costlab.dropout")
def _pointwise(case):
    return Plan(tuple(map(Operand, range(len(case.shapes)))))


@rule("copy", "lift")
def _copy(case):
    return Plan((Operand(len(case.shapes) - 1),))


@rule("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like")
@rule("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided")
def _empty(case):
    return Plan(())


@rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training")
@rule(
    "batch_norm",
    "cudnn_batch_norm",
    "_batch_norm_with_update",
    "_native_batch_norm_legit_functional",
)
def _batch_norm(case):
    """A statistic of the channel, which is no position's; that of an instance norm is taken over
    the grid."""
    if case.place:
        return None
    alone = case.op.module_type.startswith("Instance")
    spread = _spread(case, range(2, len(case.out))) if alone else ()
    return plain(*spread, roles=((1, "channel"),))


def _spread(case, dims):
    return tuple(Mix(d, case.shapes[0][d]) for d in dims)


@rule("native_layer_norm", "layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(case):
    if case.place:
        return None
    n = len(ints(case.attr("normalized_shape"), len(case.attr("normalized_shape", (1,)))))
    last = len(case.out) - 1
    roles = ((last, "channel"),) if n == 1 else ()
    return plain(*_spread(case, range(len(case.out) - n, len(case.out))), roles=roles)


@rule("native_group_norm", "group_norm")
def _group_norm(case):
    if case.place:
        return None
    return plain(*_spread(case, range(1, len(case.out))), roles=((1, "channel"),))


@rule("_softmax", "_safe_softmax", "_log_softmax", "softmax", "log_softmax", "cumsum", "cumprod")
@rule("sort", "argsort", "logcumsumexp", "cummax", "cummin")
def _along(case):
    return plain(*_spread(case, (case.dim(default=-1),)))


@rule("_weight_norm_interface", "renorm")
def _of_parameters(case):
    return None


# --- the same elements elsewhere ---


@rule("view", "_unsafe_view", "reshape", "_reshape_alias", "flatten", "unflatten")
@rule("_reshape_copy", "view_as_real", "view_as_complex")
def _view(case):
    return plain(Reshape(case.out)) if prod(case.shapes[0]) == prod(case.out) else None


@rule("unsqueeze")
def _unsqueeze(case):
    return plain(Insert(case.attr("dim", 0) % len(case.out)))


@rule("squeeze")
def _squeeze(case):
    given = case.dims() if "dim" in case.op.attrs else range(len(case.shapes[0]))
    return plain(Reduce(tuple(d for d in given if case.shapes[0][d] == 1), False))


@rule("permute")
def _permute(case):
    return plain(Permute(tuple(d % len(case.out) for d in case.attr("dims"))))


@rule("t", "numpy_T", "transpose")
def _transpose(case):
    n = len(case.out)
    if n < 2:
        return plain()
    a, b = case.attr("dim0", 0) % n, case.attr("dim1", 1) % n
    order = list(range(n))
    order[a], order[b] = b, a
    return plain(Permute(tuple(order)))


def _taken(dim, positions, stride=1):
    return Windows(dim, np.asarray(positions, dtype=np.int64)[:, None], Fraction(stride))


@rule("slice")
def _slice(case):
    d, step = case.dim(), case.attr("step", 1)
    n = case.shapes[0][d]
    start = case.attr("start", 0)
    start = min(n, max(0, start + n if start < 0 else start))
    return plain(_taken(d, start + step * np.arange(case.out[d]), step))


@rule("narrow")
def _narrow(case):
    d = case.dim()
    return plain(_taken(d, case.attr("start", 0) + np.arange(case.out[d])))


@rule("select")
def _select(case):
    d = case.dim()
    return plain(_taken(d, [case.attr("index", 0) % case.shapes[0][d]]), Reduce((d,), False))


@rule("unbind")
def _unbind(case):
    return plain(_taken(case.dim(), [case.place]), Reduce((case.dim(),), False))


@rule("split", "split_with_sizes", "chunk", "tensor_split", "unsafe_split", "unsafe_chunk")
def _split(case):
    """The parts of a split have the sizes given, or all but the last one size."""
    d = case.dim()
    sizes = case.attr("split_sizes", case.attr("split_size"))
    if sizes is None:
        n, parts = case.shapes[0][d], case.attr("chunks", len(case.op.outputs))
        sizes = -(-n // parts)
    start = case.place * sizes if isinstance(sizes, int) else sum(sizes[: case.place])
    return plain(_taken(d, start + np.arange(case.out[d])))


@rule("roll")
def _roll(case):
    shifts = ints(case.attr("shifts"), len(case.attr("dims", (0,))), 0)
    if not case.attr("dims"):
        return None
    moves = []
    for d, shift in zip(case.dims("dims"), shifts, strict=True):
        n = case.out[d]
        moves.append(_taken(d, (np.arange(n) - shift) % max(1, n)))
    return plain(*moves)


@rule("flip")
def _flip(case):
    return plain(*(_taken(d, np.arange(case.out[d])[::-1], -1) for d in case.dims("dims")))


@rule("repeat", "tile")
def _repeat(case):
    lead = len(case.out) - len(case.shapes[0])
    shape = (1,) * lead + case.shapes[0]
    moves = [Reshape(shape)] if lead else []
    moves += [
        _taken(d, np.arange(case.out[d]) % n) for d, n in enumerate(shape) if n != case.out[d] and n
    ]
    return plain(*moves)


@rule("cat", "concatenate", "_cat")
def _cat(case):
    return Plan(
        tuple(map(Operand, range(len(case.shapes)))), concat=case.attr("dim", 0) % len(case.out)
    )


@rule("stack")
def _stack(case):
    d = case.attr("dim", 0) % len(case.out)
    return Plan(tuple(Operand(i, (Insert(d),)) for i in range(len(case.shapes))), concat=d)


@rule("constant_pad_nd", "pad")
def _pad(case):
    return plain(*_padded(case, lambda positions, n: positions))


@rule(*(f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)))
def _mirror(case):
    if "replication" in case.op.name:
        return plain(*_padded(case, lambda p, n: np.clip(p, 0, n - 1)))
    return plain(*_padded(case, lambda p, n: n - 1 - np.abs(n - 1 - np.abs(p))))


def _padded(case, inside):
    pad, n = case.attr("pad", case.attr("padding", ())), len(case.out)
    for i in range(len(pad) // 2):
        d, before = n - 1 - i, pad[2 * i]
        if case.out[d] != case.shapes[0][d] or before:
            yield _taken(d, inside(np.arange(case.out[d]) - before, case.shapes[0][d]))


@rule("unfold")
def _unfold(case):
    """Windows along one dimension; their inside becomes the last one."""
    d, size, step = case.dim("dimension"), case.attr("size"), case.attr("step")
    n = case.out[d]
    taps = (step * np.arange(n)[:, None] + np.arange(size)).ravel()
    shape = case.shapes[0]
    apart = (*shape[:d], n, size, *shape[d + 1 :])
    order = tuple(i for i in range(len(apart)) if i != d + 1) + (d + 1,)
    return plain(_taken(d, taps), Reshape(apart), Permute(order))


@rule("im2col")
def _im2col(case):
    """F.unfold: kernel positions beside the channels, places of the window as tokens."""
    shape = case.shapes[0]
    lead = shape[:-2]
    kernel, stride = ints(case.attr("kernel_size"), 2), ints(case.attr("stride"), 2)
    pad, dilation = ints(case.attr("padding"), 2, 0), ints(case.attr("dilation"), 2)
    n = len(lead)
    counts, moves = [], []
    for i in range(2):
        span = dilation[i] * (kernel[i] - 1) + 1
        count = (shape[n + i] + 2 * pad[i] - span) // stride[i] + 1
        counts.append(count)
        taps = stride[i] * np.arange(count) - pad[i] + dilation[i] * np.arange(kernel[i])[:, None]
        moves.append(_taken(n + i, taps.ravel()))
    moves.append(Reshape((*lead, kernel[0], counts[0], kernel[1], counts[1])))
    moves.append(Permute((*range(n), n, n + 2, n + 1, n + 3)))
    return plain(*moves, Reshape(case.out), roles=_grid_roles(n - 1, 2))


@rule("col2im")
def _col2im(case):
    """F.fold: the windows are added where they lie."""
    out, kernel = ints(case.attr("output_size"), 2), ints(case.attr("kernel_size"), 2)
    stride, pad = ints(case.attr("stride"), 2), ints(case.attr("padding"), 2, 0)
    dilation, lead = ints(case.attr("dilation"), 2), case.out[:-2]
    n = len(lead)
    counts = [
        (out[i] + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(2)
    ]
    moves = [Reshape((*lead, *kernel, *counts)), Permute((*range(n), n, n + 2, n + 1, n + 3))]
    moves.append(Reshape((*lead, kernel[0] * counts[0], kernel[1] * counts[1])))
    for i in range(2):
        place = np.arange(out[i])[:, None] + pad[i] - dilation[i] * np.arange(kernel[i])
        at = place // stride[i]
        there = (place % stride[i] == 0) & (at >= 0) & (at < counts[i])
        taps = np.where(there, np.arange(kernel[i]) * counts[i] + at, NOWHERE)
        moves.append(Windows(n + i, taps, Fraction(1, stride[i])))
    return plain(*moves)


@rule("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle")
def _shuffle(case):
    *lead, c, h, w = case.shapes[0]
    n = len(lead)
    if case.op.name.endswith("channel_shuffle"):
        groups = case.attr("groups")
        taps = np.arange(c).reshape(groups, c // groups).T.ravel()
        return plain(_taken(n, taps))
    if case.op.name.endswith("unshuffle"):
        r = case.attr("downscale_factor")
        apart, order = (*lead, c, h // r, r, w // r, r), (n, n + 2, n + 4, n + 1, n + 3)
    else:
        r = case.attr("upscale_factor")
        apart, order = (*lead, c // r**2, r, r, h, w), (n, n + 3, n + 1, n + 4, n + 2)
    return plain(Reshape(apart), Permute((*range(n), *order)), Reshape(case.out))


@rule("tril", "triu", "as_strided", "resize")
def _same_shape(case):
    return plain() if case.shapes[0] == case.out else None


@rule("index_select")
def _index_select(case):
    d = case.dim()
    return plain(Scatter(d, case.out[d]))


@rule("index", "_unsafe_index", "gather", "take_along_dim")
def _index(case):
    """Positions by value: along the dimensions whose size stays, the elements stay where they are
    as far as one can tell."""
    shape = case.shapes[0]
    if len(shape) != len(case.out):
        return None
    one = [d for d, n in enumerate(shape) if n != case.out[d]]
    if case.op.name != "aten.gather" and len(one) > 1:
        return None
    dims = (case.dim(),) if case.op.name == "aten.gather" else one or range(len(shape))
    return plain(*(Scatter(d, case.out[d]) for d in dims))


@rule("grid_sampler_2d", "grid_sampler_3d", "cudnn_grid_sampler")
def _sampled(case):
    return plain(*(Scatter(d, case.out[d]) for d in range(2, len(case.out))))


# --- several positions into one ---


@rule(
    "mean", "sum", "amax", "amin", "prod", "var", "std", "linalg_vector_norm", "norm", "logsumexp"
)
@rule("max", "min", "argmax", "argmin", "var_mean", "std_mean", "median", "any", "all", "nansum")
def _reduce(case):
    if len(case.shapes) > 1:
        return _pointwise(case)  # max and min of two tensors
    return plain(Reduce(case.dims(), len(case.out) == len(case.shapes[0])))


@rule("topk", "kthvalue")
def _topk(case):
    d = case.dim(default=-1)
    return plain(Mix(d, case.out[d])) if len(case.out) == len(case.shapes[0]) else None


def _grid_roles(lead, n):
    batch = ((0, "batch"),) if lead else ()
    return (*batch, (lead, "channel"), *((lead + 1 + i, r) for i, r in enumerate(GRIDS.get(n, ()))))


@rule("convolution", "_convolution", "conv1d", "conv2d", "conv3d")
def _convolution(case):
    shape, weight = case.shapes[0], case.shapes[1]
    n = len(weight) - 2
    stride, dilation = ints(case.attr("stride"), n), ints(case.attr("dilation"), n)
    pad, taps = ints(case.attr("padding"), n, 0), []
    lead = len(shape) - n - 1
    for i in range(n):
        out, k = np.arange(case.out[lead + 1 + i])[:, None], np.arange(weight[2 + i])
        if case.attr("transposed", False):
            at = out + pad[i] - dilation[i] * k
            found = np.where(at % stride[i] == 0, at // stride[i], NOWHERE)
            taps.append(Windows(lead + 1 + i, found, Fraction(1, stride[i])))
        else:
            found = stride[i] * out - pad[i] + dilation[i] * k
            taps.append(Windows(lead + 1 + i, found, Fraction(stride[i])))
    depthwise = case.attr("groups", 1) == shape[lead] == case.out[lead]
    across = () if depthwise else (Mix(lead, case.out[lead], features=True),)
    return Plan(
        (Operand(0, (*taps, *across)), Operand(1, (Everything(),))),
        roles=_grid_roles(lead, n),
        channels=None if depthwise else lead,
    )


@rule(*(f"{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)))
@rule("max_pool2d_with_indices", "max_pool3d_with_indices", "lp_pool2d")
def _pool(case):
    n = int(case.op.name[case.op.name.index("_pool") + 5])
    lead = len(case.out) - n
    kernel = ints(case.attr("kernel_size"), n)
    stride = kernel if not case.attr("stride") else ints(case.attr("stride"), n)
    pad, dilation = ints(case.attr("padding"), n, 0), ints(case.attr("dilation"), n)
    moves = []
    for i in range(n):
        out = np.arange(case.out[lead + i])[:, None]
        taps = stride[i] * out - pad[i] + dilation[i] * np.arange(kernel[i])
        moves.append(Windows(lead + i, taps, Fraction(stride[i])))
    return plain(*moves)


@rule(*(f"{p}adaptive_{k}_pool{n}d" for p in ("", "_") for k in ("avg", "max") for n in (1, 2, 3)))
def _adaptive(case):
    n = int(case.op.name[-2])
    lead, moves = len(case.out) - n, []
    for d in range(lead, lead + n):
        size, count = case.shapes[0][d], case.out[d]
        ranges = [(o * size // count, -(-(o + 1) * size // count)) for o in range(count)]
        moves.append(_ranges(d, ranges, Fraction(size, count) if count > 1 else Fraction(1)))
    return plain(*moves)


def _ranges(dim, ranges, stride):
    """Windows from (first, past the last) positions."""
    width = max((b - a for a, b in ranges), default=1)
    taps = [[min(a + k, b - 1) for k in range(width)] for a, b in ranges]
    return Windows(dim, np.array(taps, dtype=np.int64), stride)


@rule(*(f"upsample_{kind}" for kind in ("nearest1d", "nearest2d", "nearest3d", "linear1d")))
@rule(
    "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d", "_upsample_nearest_exact2d"
)
@rule("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_nearest_exact1d")
def _upsample(case):
    n = int(case.op.name.removesuffix("_aa")[-2])
    lead, name = len(case.out) - n, case.op.name
    names = {1: ("scales",), 2: ("scales_h", "scales_w"), 3: ("scales_d", "scales_h", "scales_w")}
    moves = []
    for i in range(n):
        size, count = case.shapes[0][lead + i], case.out[lead + i]
        if size == count and not case.attr(names[n][i]):
            continue
        scale = case.attr(names[n][i])
        step = 1 / scale if scale else size / count
        source = _sources(name, size, count, step, case.attr("align_corners", False))
        moves.append(_ranges(lead + i, source, Fraction(size, count)))
    return plain(*moves)


def _sources(name, size, count, step, corners):
    """(first, past the last) input positions with a weight that is not zero, of each output
    position of an interpolation."""
    if corners and count > 1:
        step = (size - 1) / (count - 1)
    found = []
    for o in range(count):
        if "nearest" in name:
            at = floor((o + 0.5 * ("exact" in name)) * step + 1e-9)
            a, b = at, at + 1
        else:
            at = o * step if corners else (o + 0.5) * step - 0.5
            reach = (2 if "bicubic" in name else 1) * (max(1.0, step) if "_aa" in name else 1)
            a, b = floor(at - reach + 1e-9) + 1, ceil(at + reach - 1e-9)
        a = min(size - 1, max(0, a))
        found.append((a, max(a + 1, min(size, b))))
    return found


@rule("_fft_r2c", "_fft_c2r", "_fft_c2c")
def _fft(case):
    return plain(*(Mix(d, case.out[d]) for d in case.dims()))


# --- products ---


def _product(a, b, lead, *, added=False):
    """Rows of operand a by columns of operand b, after `lead` dimensions that both have."""
    rows, columns = Operand(a, (Reduce((lead + 1,), True),)), Operand(b, (Reduce((lead,), True),))
    more = (Operand(0),) if added else ()
    return Plan((rows, columns, *more), features=(lead + 1, a, lead + 1))


@rule("mm")
def _mm(case):
    return _product(0, 1, 0)


@rule("addmm")
def _addmm(case):
    return _product(1, 2, 0, added=True)


@rule("bmm")
def _bmm(case):
    return _product(0, 1, 1)


@rule("baddbmm")
def _baddbmm(case):
    return _product(1, 2, 1, added=True)


@rule("mv", "dot")
def _mv(case):
    moves = (Reduce((0,), False),)
    return Plan((Operand(0, (Reduce((len(case.shapes[0]) - 1,), False),)), Operand(1, moves)))


@rule("embedding")
def _embedding(case):
    n = len(case.out)
    return Plan((Operand(1, (Insert(n - 1),)),), channels=n - 1)

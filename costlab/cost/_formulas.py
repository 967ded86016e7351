"""The formulas: (MACs, FLOPs) from shapes alone. A MAC is two FLOPs; elementwise work has FLOPs and no MACs."""

from __future__ import annotations

from math import log2, prod

from ._registry import formula


def _out(t, op):
    return sum(t.tensors[i].numel for i in op.outputs)


def _in(t, op, k=0):
    return t.tensors[op.inputs[k]].shape


def _pair(macs, extra=0):
    return macs, 2 * macs + extra


def _product(t, op, macs, extra=0):
    """A complex product is four real ones; of a sparse factor only the elements that it keeps are multiplied."""
    if "sparse" in op.attrs:
        place, kept = op.attrs["sparse"]
        first = place == (1 if op.name in _ADDED else 0)
        shape = _in(
            t, op, place
        )  # each element that is kept meets a row, or a column, of the other
        macs = kept * _out(t, op) // max(1, prod(shape[:-1] if first else (*shape[:-2], shape[-1])))
    return _pair(macs * (4 if t.tensors[op.outputs[0]].dtype.startswith("complex") else 1), extra)


_ADDED = frozenset(
    f"aten.{n}"
    for n in ("addmm", "baddbmm", "addmv", "_addmm_activation", "addbmm", "_sparse_addmm")
)


@formula(
    "aten.convolution",
    "aten._convolution",
    "aten.convolution_overrideable",
    "aten.cudnn_convolution",
    "aten.mkldnn_convolution",
)
def convolution(t, op):
    """Output elements x kernel x c_in/groups (transposed: input elements x kernel x c_out/groups), one add a bias."""
    shapes = t.shapes(op)
    data, weight = shapes[0], shapes[1]
    positions = prod(data) if op.attrs.get("transposed") else _out(t, op)
    return _product(t, op, positions * prod(weight[1:]), _out(t, op) if len(shapes) > 2 else 0)


@formula("aten.convolution_backward", "aten.cudnn_convolution_backward")
def convolution_backward(t, op):
    """For the input's and for the weight's gradient as many MACs as forward; one add an element for the bias's."""
    grad, data, weight = t.shapes(op)[:3]
    forward = (prod(data) if op.attrs.get("transposed") else prod(grad)) * prod(weight[1:])
    mask = op.attrs.get("output_mask", (True, True, False))
    return _pair(forward * sum(mask[:2]), prod(grad) if mask[2] else 0)


@formula("aten.mm", "aten.bmm", "aten.mv", "aten.dot", "aten._int_mm")
def product(t, op):
    """(.., n, k) @ (.., k, m): n k m products a batch."""
    return _product(t, op, _out(t, op) * _in(t, op)[-1])


@formula(*_ADDED)
def added_product(t, op):
    """As the product, and one add an output element; addbmm also sums over its batch."""
    a = _in(t, op, 1)
    b = a[0] if op.name == "aten.addbmm" else 1
    return _product(t, op, _out(t, op) * a[-1] * b, _out(t, op))


@formula("aten.addr", "aten.vdot", "aten.ger")
def outer_product(t, op):
    """One product an element: of the outer product, or of the vectors whose inner product it is; addr adds as many."""
    n = prod(_in(t, op)) if op.name == "aten.vdot" else _out(t, op)
    return _product(t, op, n, n if op.name == "aten.addr" else 0)


@formula("aten._trilinear")
def trilinear(t, op):
    """nn.Bilinear, x1 (n, i), weight (o, i, j), x2 (n, j), each with dimensions of one where `expand` says so: all of them together, n o i j, for
    one product, and for the other all but the last, n o i; backward the same dimensions are in other places."""
    sizes: dict[int, int] = {}
    for k in range(3):
        shape, spread = list(_in(t, op, k)), op.attrs.get(f"expand{k + 1}", ())
        for d in range(len(shape) + len(spread)):
            if d not in spread:
                sizes[d] = max(sizes.get(d, 1), shape.pop(0))
    whole = prod(sizes.values())
    return _pair(whole + whole // max(1, sizes[max(sizes)]))


@formula("aten._grouped_mm")
def grouped_product(t, op):
    """Each row of (n, k) by the (k, m) of its group (mixture of experts): n k m; two 2-d inputs (k, n), (n, m) give k n m in all."""
    a, b = t.shapes(op)[:2]
    return _pair(_out(t, op) * a[-1] if len(a) == 3 or len(b) == 3 else prod(a) * b[-1])


@formula("aten._scaled_mm")
def scaled_product(t, op):
    """(n, k) @ (k, m) in 8-bit floats, then one product an element for the scale."""
    return _pair(_out(t, op) * _in(t, op)[-1], _out(t, op))


@formula("aten.conv_tbc")
def convolution_in_time(t, op):
    """(time, batch, c_in) by (k, c_in, c_out): output elements x k x c_in, one add each for the bias."""
    k, c_in, _ = _in(t, op, 1)
    return _pair(_out(t, op) * k * c_in, _out(t, op))


@formula("aten._cdist_forward", "aten._euclidean_dist")
def distance(t, op):
    """(.., n, d) and (.., m, d): subtract, power, add for each of n m d."""
    return 0, 3 * _out(t, op) * _in(t, op)[-1]


@formula("aten.linalg_solve_triangular", "aten.triangular_solve")
def triangular_solve(t, op):
    """A (n, n) triangular and B (n, m): n^2 m / 2 products a batch (Golub, Van Loan, Section 3.1)."""
    a, b = t.shapes(op)[:2]
    return _pair(prod(b) * a[-1] // 2)


@formula("aten._ctc_loss")
def ctc_loss(t, op):
    """Log-probabilities (T, N, C) and targets of length S: three log-sum-exps, ten FLOPs, for each of T N (2 S + 1) states (Graves 2006, eq. 6)."""
    (steps, batch, *_), targets = _in(t, op), _in(t, op, 1)
    length = targets[-1] if len(targets) > 1 else targets[0] // max(1, batch)
    return 0, 10 * steps * batch * (2 * length + 1)


@formula("aten._fft_c2c", "aten._fft_r2c", "aten._fft_c2r")
def fourier(t, op):
    """5 N log2 N for N complex points, half of it where one side is real (the FFTW convention, fftw.org/speed)."""
    shape = max((_in(t, op), t.tensors[op.outputs[0]].shape), key=prod)
    points = prod(shape[d] for d in op.attrs["dim"])
    return 0, round(
        (5 if op.name.endswith("c2c") else 2.5) * prod(shape) * log2(points)
    ) if points else 0


@formula("aten._embedding_bag", "aten._embedding_bag_forward_only")
def embedding_bag(t, op):
    """One add an element of every looked-up row."""
    return 0, prod(_in(t, op, 1)) * _in(t, op)[-1]


@formula("aten._weight_norm_interface", "aten._weight_norm_interface_backward")
def weight_norm(t, op):
    """Square, sum, scale: three FLOPs a weight; two such passes backward."""
    return 0, (6 if op.name.endswith("backward") else 3) * prod(_in(t, op))


@formula(
    "aten._scaled_dot_product_flash_attention",
    "aten._scaled_dot_product_efficient_attention",
    "aten._scaled_dot_product_cudnn_attention",
    "aten._scaled_dot_product_flash_attention_for_cpu",
    "aten._scaled_dot_product_fused_attention_overrideable",
    "aten.scaled_dot_product_attention",
)
def attention(t, op):
    """q (b, h, s, d), k (b, h', n, d), v (b, h', n, e): b h s n (d + e); the mask does not change the count."""
    q, k, v = t.shapes(op)[:3]
    return _pair(prod(q[:-1]) * k[-2] * (q[-1] + v[-1]), 5 * prod(q[:-1]) * k[-2])


@formula(
    *(
        f"aten._scaled_dot_product_{n}_backward"
        for n in (
            "flash_attention",
            "efficient_attention",
            "cudnn_attention",
            "flash_attention_for_cpu",
            "fused_attention_overrideable",
        )
    )
)
def attention_backward(t, op):
    """Gradients of q, k, v (b, h, ., d) and of the weights: twice the forward's products. The scores that a fused kernel works out again are
    not counted, so that no count depends on the kernel."""
    q, k, v = t.shapes(op)[1:4]
    return _pair(2 * prod(q[:-1]) * k[-2] * (q[-1] + v[-1]), 10 * prod(q[:-1]) * k[-2])


@formula("aten._native_multi_head_attention")
def fast_attention(t, op):
    """nn.MultiheadAttention's fast path: q (b, s, e), k (b, n, e): b (2 s + 2 n) e e for the projections, 2 b s n e for the
    attention."""
    (b, s, e), n = _in(t, op), _in(t, op, 1)[1]
    return _pair(
        b * (2 * s + 2 * n) * e * e + 2 * b * s * n * e, 5 * b * op.attrs.get("num_head", 1) * s * n
    )


@formula("aten._transformer_encoder_layer_fwd")
def fast_encoder_layer(t, op):
    """The fast path of nn.TransformerEncoderLayer: x (b, s, e) with each weight matrix once a token, and 2 b s s e."""
    b, s, e = _in(t, op)
    weights = sum(prod(shape) for shape in t.shapes(op)[1:] if len(shape) == 2 and e in shape)
    return _pair(b * s * weights + 2 * b * s * s * e)


@formula("aten.mkldnn_rnn_layer", "aten._cudnn_rnn")
def recurrent_layer(t, op):
    """x (time, batch, c) and each weight matrix once a step and sequence."""
    steps, batch = _in(t, op)[:2]
    hidden = op.attrs.get("hidden_size")
    weights = sum(
        prod(shape)
        for shape in t.shapes(op)[1:]
        if len(shape) == 2 and hidden and shape[0] % hidden == 0
    )
    return _pair(steps * batch * weights)


@formula("aten._thnn_fused_lstm_cell", "aten._thnn_fused_gru_cell")
def recurrent_cell(t, op):
    """The gates' elementwise part: five FLOPs a gate element; its products are separate ops."""
    return 0, 5 * prod(_in(t, op))


@formula(
    "aten.native_batch_norm",
    "aten._native_batch_norm_legit",
    "aten._native_batch_norm_legit_no_training",
    "aten.cudnn_batch_norm",
    "aten._batch_norm_with_update",
    "aten._batch_norm_no_update",
    "aten.native_layer_norm",
    "aten.native_group_norm",
    "aten._fused_rms_norm",
)
def norm(t, op):
    """Subtract, divide, scale, shift: four FLOPs an element, as torch fuses none of them in the reference form."""
    return 0, 4 * prod(_in(t, op))


@formula(
    "aten.max_pool2d_with_indices",
    "aten.max_pool3d_with_indices",
    "aten.max_pool1d_with_indices",
    "aten.avg_pool2d",
    "aten.avg_pool3d",
    "aten.avg_pool1d",
    "aten.max_pool2d",
    "aten.max_pool3d",
    "aten.max_pool1d",
)
def pool(t, op):
    """One compare or add for each kernel element of each output."""
    kernel = op.attrs.get("kernel_size", 1)
    ndim = int(op.name.split("pool")[1][0])
    kernel = (kernel,) if isinstance(kernel, int) else kernel
    return 0, t.tensors[op.outputs[0]].numel * (
        prod(kernel) if len(kernel) == ndim else kernel[0] ** ndim
    )


@formula(
    "aten.mean",
    "aten.sum",
    "aten.amax",
    "aten.amin",
    "aten.max",
    "aten.min",
    "aten.prod",
    "aten.cumsum",
    "aten.var",
    "aten.var_mean",
    "aten.std",
    "aten.linalg_vector_norm",
    "aten.norm",
    "aten.argmax",
    "aten.argmin",
    "aten.any",
    "aten.all",
    "aten.adaptive_max_pool2d",
    "aten._adaptive_avg_pool2d",
    "aten._adaptive_avg_pool3d",
    "aten.logsumexp",
    "aten.topk",
    "aten.sort",
    "aten.adaptive_max_pool3d",
    "aten.adaptive_max_pool1d",
    "aten.nll_loss_forward",
    "aten.nll_loss2d_forward",
    "aten.mse_loss",
    "aten.smooth_l1_loss",
    "aten.huber_loss",
    "aten.binary_cross_entropy",
    "aten.median",
    "aten.aminmax",
    "aten.cumprod",
    "aten.count_nonzero",
    "aten.histc",
    "aten.cummax",
    "aten.cummin",
    "aten.logcumsumexp",
    "aten.kthvalue",
    "aten.mode",
    "aten.trace",
)
def reduction(t, op):
    """One FLOP an input element."""
    return 0, prod(_in(t, op)) if op.inputs else 0


@formula("aten._softmax", "aten._log_softmax", "aten._safe_softmax")
def softmax(t, op):
    """Max, subtract, exp, sum, divide: five FLOPs an element."""
    return 0, 5 * _out(t, op)


@formula(
    "aten.upsample_bilinear2d",
    "aten._upsample_bilinear2d_aa",
    "aten.upsample_linear1d",
    "aten.upsample_trilinear3d",
    "aten.upsample_bicubic2d",
    "aten._upsample_bicubic2d_aa",
    "aten.grid_sampler_2d",
    "aten.grid_sampler_3d",
)
def interpolation(t, op):
    """A weighted sum of 2 (linear), 4 (bilinear), 8 (trilinear) or 16 (bicubic) neighbours: two FLOPs each."""
    taps = (
        2
        if "linear1d" in op.name
        else 8
        if "trilinear" in op.name or "sampler_3d" in op.name
        else 16
        if "bicubic" in op.name
        else 4
    )
    return 0, 2 * taps * _out(t, op)


@formula(
    "aten.native_batch_norm_backward",
    "aten.native_layer_norm_backward",
    "aten.native_group_norm_backward",
    "aten.cudnn_batch_norm_backward",
    "aten._fused_rms_norm_backward",
    "aten.batch_norm_backward",
)
def norm_backward(t, op):
    """Two reductions and the gradient: eight FLOPs an element."""
    return 0, 8 * prod(_in(t, op))


@formula("aten.avg_pool2d_backward", "aten.avg_pool3d_backward")
def avg_pool_backward(t, op):
    """One add for each kernel element of each output."""
    kernel = op.attrs.get("kernel_size", (1,))
    return 0, prod(_in(t, op)) * (
        prod(kernel) if len(kernel) > 1 else kernel[0] ** int(op.name[13])
    )


@formula(
    "aten.max_pool2d_with_indices_backward",
    "aten.max_pool3d_with_indices_backward",
    "aten.embedding_dense_backward",
    "aten._adaptive_avg_pool2d_backward",
    "aten.upsample_nearest2d_backward",
    "aten.slice_backward",
    "aten.nll_loss_backward",
    "aten.nll_loss2d_backward",
    "aten.select_backward",
)
def scatter_backward(t, op):
    """One add an element of the gradient."""
    return 0, prod(_in(t, op))


@formula("aten._softmax_backward_data", "aten._log_softmax_backward_data")
def softmax_backward(t, op):
    """Product, sum, subtract, product: four FLOPs an element."""
    return 0, 4 * _out(t, op)


@formula(
    "aten.upsample_bilinear2d_backward",
    "aten.upsample_linear1d_backward",
    "aten.upsample_bicubic2d_backward",
)
def interpolation_backward(t, op):
    """As forward, by the gradient's elements."""
    return 0, 2 * (2 if "linear1d" in op.name else 16 if "bicubic" in op.name else 4) * prod(
        _in(t, op)
    )


@formula("aten._thnn_fused_lstm_cell_backward_impl", "aten._thnn_fused_gru_cell_backward")
def recurrent_cell_backward(t, op):
    """The gates' elementwise part: ten FLOPs an element of the gradient."""
    return 0, 10 * _out(t, op)


_ELEMENTWISE = [
    "relu",
    "relu6",
    "leaky_relu",
    "gelu",
    "silu",
    "elu",
    "celu",
    "selu",
    "mish",
    "sigmoid",
    "tanh",
    "hardtanh",
    "hardswish",
    "hardsigmoid",
    "softplus",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "sqrt",
    "rsqrt",
    "pow",
    "abs",
    "neg",
    "sign",
    "sin",
    "cos",
    "tan",
    "atan",
    "atan2",
    "erf",
    "floor",
    "ceil",
    "round",
    "trunc",
    "reciprocal",
    "square",
    "add",
    "sub",
    "rsub",
    "mul",
    "div",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "clamp",
    "clamp_min",
    "clamp_max",
    "addcmul",
    "addcdiv",
    "lerp",
    "where",
    "masked_fill",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_and",
    "logical_or",
    "logical_not",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_not",
    "bitwise_xor",
    "bernoulli",
    "threshold",
    "_prelu_kernel",
    "native_dropout",
    "glu",
    "isinf",
    "isnan",
    "log_sigmoid_forward",
    "floor_divide",
    "scalar_tensor_mul",
    "sigmoid_",
    "threshold_backward",
    "gelu_backward",
    "silu_backward",
    "sigmoid_backward",
    "tanh_backward",
    "hardtanh_backward",
    "hardswish_backward",
    "hardsigmoid_backward",
    "leaky_relu_backward",
    "elu_backward",
    "softplus_backward",
    "mish_backward",
    "native_dropout_backward",
    "log_sigmoid_backward",
    "hardshrink_backward",
    "glu_backward",
    "_prelu_kernel_backward",
    "sgn",
    "exponential",
    "uniform",
    "normal",
    "rrelu_with_noise",
    "hardshrink",
    "softshrink",
    "tril",
    "triu",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "exp2",
    "log10",
    "erfc",
    "erfinv",
    "nan_to_num",
    "frac",
    "logit",
    "xlogy",
    "hypot",
    "copysign",
    "polar",
    "angle",
    "lgamma",
    "digamma",
    "sinc",
    "binary_cross_entropy_with_logits",
    "logaddexp",
    "logaddexp2",
    "heaviside",
    "nextafter",
    "gcd",
    "lcm",
    "positive",
    "special_xlog1py",
    "complex",
    "scatter_add",
    "scatter_reduce",
    "index_add",
    "index_reduce",
    "put",
    "embedding_renorm",
    "masked_scatter",
    "square_",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "float_power",
]


@formula(*(f"aten.{n}" for n in _ELEMENTWISE), *(f"aten.{n}_" for n in _ELEMENTWISE))
def elementwise(t, op):
    """One FLOP an output element."""
    return 0, _out(t, op)


@formula(
    "costlab.dropout",
    "costlab.write",
    *(
        "aten." + n
        for n in [
            "view",
            "_unsafe_view",
            "reshape",
            "t",
            "transpose",
            "permute",
            "expand",
            "slice",
            "select",
            "unsqueeze",
            "squeeze",
            "cat",
            "stack",
            "split",
            "split_with_sizes",
            "unbind",
            "chunk",
            "unsafe_split",
            "unsafe_split_with_sizes",
            "unsafe_chunk",
            "clone",
            "contiguous",
            "copy",
            "copy_",
            "_to_copy",
            "to",
            "fill",
            "fill_",
            "zero_",
            "zeros",
            "ones",
            "full",
            "empty",
            "zeros_like",
            "ones_like",
            "full_like",
            "empty_like",
            "new_zeros",
            "new_ones",
            "new_empty",
            "new_full",
            "arange",
            "linspace",
            "eye",
            "embedding",
            "index",
            "index_select",
            "gather",
            "scatter",
            "scatter_",
            "index_put",
            "index_put_",
            "flip",
            "roll",
            "repeat",
            "pixel_shuffle",
            "pixel_unshuffle",
            "constant_pad_nd",
            "reflection_pad2d",
            "reflection_pad1d",
            "reflection_pad3d",
            "replication_pad1d",
            "replication_pad2d",
            "replication_pad3d",
            "max_unpool2d",
            "max_unpool3d",
            "fractional_max_pool2d",
            "fractional_max_pool3d",
            "im2col",
            "col2im",
            "upsample_nearest2d",
            "upsample_nearest1d",
            "upsample_nearest3d",
            "_upsample_nearest_exact2d",
            "as_strided",
            "diagonal",
            "unfold",
            "detach",
            "lift_fresh_copy",
            "scalar_tensor",
            "rand",
            "randn",
            "rand_like",
            "randn_like",
            "_local_scalar_dense",
            "channel_shuffle",
            "native_channel_shuffle",
            "empty_strided",
            "new_empty_strided",
            "is_same_size",
            "_assert_async",
            "masked_select",
            "nonzero",
            "_reshape_alias",
            "_conj",
            "alias",
            "squeeze_",
            "unsqueeze_",
            "t_",
            "transpose_",
            "as_strided_",
            "random_",
            "randint",
            "randperm",
            "movedim",
            "select_scatter",
            "slice_scatter",
            "_pack_padded_sequence",
            "bincount",
            "unique_dim",
            "repeat_interleave",
            "view_as_real",
            "view_as_complex",
        ]
    ),
)
def movement(t, op):
    """Moves or makes data: no arithmetic; the cost is in the bytes."""
    return 0, 0

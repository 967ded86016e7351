"""Which operations run a kernel of which family. Names are without the `_` of in-place forms."""

from __future__ import annotations

from ...cost.registry import aten

CONVOLUTIONS = frozenset(aten("convolution _convolution cudnn_convolution mkldnn_convolution"))
PRODUCTS = frozenset(aten("mm addmm bmm baddbmm"))
SOFTMAXES = frozenset(aten("_softmax _safe_softmax _log_softmax"))
CONCATENATIONS = frozenset(aten("cat stack"))
REDUCTIONS = frozenset(aten("mean sum amax amin linalg_vector_norm"))
COPIES = frozenset(
    aten(
        "clone _to_copy contiguous copy constant_pad_nd roll flip index _unsafe_index index_select "
        "gather take repeat tile pixel_shuffle pixel_unshuffle channel_shuffle im2col "
        "reflection_pad2d replication_pad2d fill zero zeros ones full new_zeros "
        "new_ones new_full zeros_like ones_like full_like arange split_with_sizes_copy"
    )
)
LOOKUPS = frozenset(aten("embedding"))
IDLE = frozenset(aten("empty empty_like new_empty empty_strided resize_ set_ detach lift_fresh"))
NORMALIZATIONS = {
    **dict.fromkeys(
        aten(
            "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
            "cudnn_batch_norm batch_norm"
        ),
        "batch",
    ),
    "aten.native_layer_norm": "layer",
    "aten._fused_rms_norm": "layer",
    "aten.native_group_norm": "group",
}
POOLS = {
    **dict.fromkeys(aten("max_pool2d_with_indices max_pool2d adaptive_max_pool2d"), "max"),
    **dict.fromkeys(aten("avg_pool2d _adaptive_avg_pool2d adaptive_avg_pool2d"), "average"),
    "aten.avg_pool3d": "across",
}
INTERPOLATIONS = {
    **dict.fromkeys(
        aten(
            "upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d "
            "_upsample_nearest_exact2d _upsample_nearest_exact3d"
        ),
        "nearest",
    ),
    **dict.fromkeys(aten("upsample_linear1d upsample_bilinear2d upsample_trilinear3d"), "linear"),
    "aten.upsample_bicubic2d": "cubic",
}

# operation -> the function of `Elementwise.functions` that takes as long: by what is computed a
# value, since most of the time is for moving it
FUNCTIONS = {
    f"aten.{name}": function
    for function, names in {
        "relu": "relu relu6 clamp clamp_min clamp_max hardtanh neg abs leaky_relu threshold sign "
        "logical_not bitwise_not floor ceil round elu square",
        "hardswish": "hardswish hardsigmoid",
        "add": "add sub rsub maximum minimum eq ne lt le gt ge logical_and logical_or bitwise_and "
        "bitwise_or bitwise_xor",
        "mul": "mul addcmul masked_fill where lerp addcdiv _prelu_kernel",
        "div": "div reciprocal remainder fmod floor_divide sqrt rsqrt",
        "gelu": "gelu erf",
        "silu": "silu mish",
        "sigmoid": "sigmoid softplus log_sigmoid",
        "tanh": "tanh exp log sin cos expm1 log1p atan atan2",
        "pow": "pow",
    }.items()
    for name in names.split()
}

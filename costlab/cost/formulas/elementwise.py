"""Elementwise work, forward and backward, also in place."""

from __future__ import annotations

from ..registry import Work, aten, formula, outputs_of

_NAMES = aten(
    "relu relu6 leaky_relu gelu silu elu celu selu mish sigmoid tanh hardtanh hardswish "
    "hardsigmoid softplus exp expm1 log log1p log2 sqrt rsqrt pow abs neg sign sin cos tan atan "
    "atan2 erf floor ceil round trunc reciprocal square add sub rsub mul div remainder fmod "
    "maximum minimum clamp clamp_min clamp_max addcmul addcdiv lerp where masked_fill eq ne lt "
    "le gt ge logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not "
    "bitwise_xor bernoulli threshold _prelu_kernel native_dropout glu isinf isnan "
    "log_sigmoid_forward floor_divide scalar_tensor_mul sigmoid_ threshold_backward "
    "gelu_backward silu_backward sigmoid_backward tanh_backward hardtanh_backward "
    "hardswish_backward hardsigmoid_backward leaky_relu_backward elu_backward softplus_backward "
    "mish_backward native_dropout_backward log_sigmoid_backward hardshrink_backward "
    "glu_backward _prelu_kernel_backward sgn exponential uniform normal rrelu_with_noise "
    "hardshrink softshrink tril triu asin acos sinh cosh asinh acosh atanh exp2 log10 erfc "
    "erfinv nan_to_num frac logit xlogy hypot copysign polar angle lgamma digamma sinc "
    "binary_cross_entropy_with_logits logaddexp logaddexp2 heaviside nextafter gcd lcm positive "
    "special_xlog1py complex scatter_add scatter_reduce index_add index_reduce put "
    "embedding_renorm masked_scatter square_ bitwise_left_shift bitwise_right_shift float_power"
)


@formula(*_NAMES, *(f"{name}_" for name in _NAMES))
def elementwise(trace, op):
    """One FLOP an output element."""
    return Work(flops=outputs_of(trace, op))

"""Elementwise work, forward and backward, also in place."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, named, outputs_of

_SHORT = (
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
    "embedding_renorm masked_scatter square_ bitwise_left_shift bitwise_right_shift float_power "
    "conj_physical _conj_physical deg2rad rad2deg fmax fmin frexp ldexp i0 igamma igammac isneginf "
    "isposinf mvlgamma polygamma signbit logit_backward cauchy geometric log_normal "
    "soft_margin_loss hann_window hamming_window bartlett_window blackman_window kaiser_window "
    "mse_loss_backward smooth_l1_loss_backward huber_loss_backward soft_margin_loss_backward "
    "binary_cross_entropy_backward softshrink_backward rrelu_with_noise_backward "
    "__lshift__ __rshift__ __ilshift__ __irshift__ _unsafe_masked_index_put_accumulate"
)
# Bessel functions, polynomials and their like, which torch keeps in a module of its own
_SPECIAL = aten(
    "special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1 "
    "special_chebyshev_polynomial_t special_chebyshev_polynomial_u special_chebyshev_polynomial_v "
    "special_chebyshev_polynomial_w special_entr special_erfcx special_hermite_polynomial_h "
    "special_hermite_polynomial_he special_i0e special_i1 special_i1e "
    "special_laguerre_polynomial_l special_legendre_polynomial_p special_log_ndtr "
    "special_modified_bessel_i0 special_modified_bessel_i1 special_modified_bessel_k0 "
    "special_modified_bessel_k1 special_ndtri special_scaled_modified_bessel_k0 "
    "special_scaled_modified_bessel_k1 special_shifted_chebyshev_polynomial_t "
    "special_shifted_chebyshev_polynomial_u special_shifted_chebyshev_polynomial_v "
    "special_shifted_chebyshev_polynomial_w special_spherical_bessel_j0 special_zeta"
)
# some derivatives run as torch's primitives, which have the same names
_NAMES = (*aten(_SHORT), *named("prims", _SHORT))


@formula(*_SPECIAL, *_NAMES, *(f"{name}_" for name in _NAMES))
def elementwise(trace: Trace, op: Op) -> Work:
    """One FLOP an output element."""
    return Work(flops=outputs_of(trace, op))

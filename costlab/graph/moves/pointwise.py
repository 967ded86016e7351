"""Each element by itself."""

from __future__ import annotations

from .record import Operand, Plan
from .registry import Case, rule


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


_QUANTIZED = """
add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu relu6 leaky_relu
hardswish elu celu sigmoid tanh clamp prelu dropout
""".split()  # noqa: SIM905  as above


@rule(*_POINTWISE, *(f"quantized.{name}" for name in _QUANTIZED), "costlab.dropout")
def pointwise(case: Case) -> Plan | None:
    """Operands are broadcast."""
    return Plan(tuple(map(Operand, range(len(case.shapes)))))


@rule("copy", "lift")
def _copy(case: Case) -> Plan | None:
    return Plan((Operand(len(case.shapes) - 1),))


@rule("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like")
@rule("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided")
def _empty(case: Case) -> Plan | None:
    return Plan(())

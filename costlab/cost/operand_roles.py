"""Which argument of an operation is a weight, a bias or a scale."""

from __future__ import annotations

from .formulas.quantized import PRODUCTS as QUANTIZED_PRODUCTS
from .registry import aten

WEIGHT, BIAS, SCALE = "weight", "bias", "scale"


def _rules() -> dict[str, tuple[str | None, ...]]:
    """Operation -> the role of each tensor input in order; None: not decided here. What comes
    after the last is like the last."""
    convolution = (WEIGHT, WEIGHT, BIAS)
    added = (BIAS, WEIGHT, WEIGHT)
    norm = (None, SCALE, BIAS, None)
    lookup = (WEIGHT, None)
    groups = {
        convolution: aten(
            "convolution _convolution convolution_overrideable cudnn_convolution "
            "mkldnn_convolution conv_tbc mkldnn_linear"
        )
        + QUANTIZED_PRODUCTS,
        added: aten("addmm baddbmm addbmm addmv addr _addmm_activation _sparse_addmm"),
        (WEIGHT,): aten("mm bmm mv dot vdot ger _int_mm _trilinear linalg_solve_triangular"),
        (WEIGHT, WEIGHT, None): aten("_grouped_mm"),
        (WEIGHT, WEIGHT, SCALE): aten("_scaled_mm _scaled_mm_v2"),
        (WEIGHT, WEIGHT, None, None, BIAS): ("torchvision.deform_conv2d",),
        norm: aten(
            "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
            "cudnn_batch_norm _batch_norm_with_update _batch_norm_no_update native_layer_norm "
            "native_group_norm _fused_rms_norm"
        ),
        (None, SCALE): aten("_weight_norm_interface _prelu_kernel"),
        lookup: aten("embedding _embedding_bag _embedding_bag_forward_only"),
    }
    return {name: roles for roles, names in groups.items() for name in names}


OPERAND_ROLES = _rules()
MULTIPLIED = frozenset(aten("mul mul_ div div_ addcmul"))
ADDED = frozenset(aten("add add_ sub sub_ rsub"))


def role_of_operand(rule: tuple[str | None, ...], position: int) -> str | None:
    """The role of a tensor input of an operation by its `position`, from 0."""
    return rule[min(position, len(rule) - 1)]

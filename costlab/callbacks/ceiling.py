"""The FLOP/s that utilization is a share of: whose, and where the number is from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..measure import tf32
from ..measure.ceilings import product_ceiling
from ..measure.device import find_device
from ..trace.session import random_state

_NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Ceiling:
    """FLOP/s that one `device` can do at most, two FLOPs a multiply-add; `source` says where the
    number is from, with the dtype."""

    flops_per_s: float
    source: str
    device: str

    def __str__(self) -> str:
        return f"{self.device}, ceiling {self.flops_per_s / 1e12:.4g} TFLOP/s ({self.source})"


@dataclass(frozen=True)
class Stated:
    """A ceiling as a user states it. Raises ValueError without a source, for a source without a
    ceiling, and for a number that is not positive."""

    flops_per_s: float | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if (self.flops_per_s is None) != (self.source is None):
            raise ValueError(
                "ceiling and ceiling_source go together: ceiling=989e12, "
                'ceiling_source="H100 SXM datasheet, bf16 dense"'
            )
        if self.flops_per_s is not None and not self.flops_per_s > 0:
            raise ValueError(f"ceiling is FLOP/s, more than 0, not {self.flops_per_s}")

    def on(self, device: torch.device, dtype: str | None) -> Ceiling | None:
        """The ceiling on a device: the one that was stated, or one that is measured now, for
        products of `dtype`. None where costlab cannot measure it."""
        if self.flops_per_s is not None and self.source is not None:
            return Ceiling(self.flops_per_s, self.source, device_name(device))
        if dtype is None or device.type not in ("cpu", "cuda"):
            return None
        restore = random_state(device.type)
        try:
            rate = product_ceiling(find_device(device.type), dtype)
        finally:
            restore()
        source = f"{dtype} matrix products, measured in this run"
        return Ceiling(rate, source, device_name(device)) if rate else None


def device_name(device: torch.device) -> str:
    """The name of a device, such as "NVIDIA H100 80GB HBM3"."""
    if device.type not in ("cpu", "cuda"):
        return device.type
    return find_device(device.type).describe()["device"]


def dtype_of_products(model: nn.Module, autocast: torch.dtype | None = None) -> str | None:
    """The dtype that a model's matrix products run in, as `costlab trace --dtype` names it; None
    for one that it does not measure. `autocast`: the dtype of mixed precision."""
    parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
    if parameter is None:
        return None
    name = _NAMES.get(autocast or parameter.dtype)
    return "tf32" if name == "fp32" and parameter.is_cuda and _tf32(model) else name


def _tf32(model: nn.Module) -> bool:
    """Whether a GPU multiplies float32 as TF32: torch's settings differ for convolutions."""
    if any(isinstance(m, _CONVOLUTIONS) for m in model.modules()):
        return tf32.in_convolutions()
    return tf32.in_products()

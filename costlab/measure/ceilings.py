"""What a device can do at most, measured: matrix products and copies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import nn

from . import tf32
from .device import Device

# the name by which a product of each dtype's tensors is known, and what else a GPU can multiply
PRODUCTS = {"fp32": "float32", "tf32": "tf32", "bf16": "bfloat16", "fp16": "float16"}
_SIDES = {"cuda": (4096, 8192), "cpu": (256, 512, 1024, 1536)}  # of matrices, smallest first
_LONG = 0.05  # seconds; a product that takes longer is not tried on larger matrices
_COPY_BYTES = {"cuda": 1 << 30, "cpu": 1 << 28}
_TRIES = 3
_measured: dict[tuple[str, str], float] = {}  # once a device and process


@contextlib.contextmanager
def precision(dtype: str, *, try_algorithms: bool = True) -> Generator[None]:
    """TF32 only where it was asked for, cuDNN's choice by trying, encoder layers module by module.

    The fast path of an encoder layer is one operation of no module. All is as before afterwards."""
    cudnn: Any = torch.backends.cudnn  # its flags are properties that type checkers do not see
    mha = torch.backends.mha
    before, fast_path = cudnn.benchmark, mha.get_fastpath_enabled()
    try:
        mha.set_fastpath_enabled(False)
        cudnn.benchmark = try_algorithms
        with tf32.used(dtype == "tf32"):
            yield
    finally:
        cudnn.benchmark = before
        mha.set_fastpath_enabled(fast_path)


def ceilings(device: Device, dtype: str) -> dict[str, float]:
    """FLOP/s of large matrix products, by the name of the product, and "bandwidth" in bytes/s,
    read and written, of a large copy; the best of several tries.

    `dtype` is a name of `DTYPES`; a GPU is asked for what it could do in the others too. Measured
    once a device and process."""
    wanted = ["float32", PRODUCTS[dtype]]
    if device.kind == "cuda":
        wanted += ["tf32", "bfloat16", "float16"]
    name = device.describe()["device"]
    for product in dict.fromkeys(wanted):
        _measure_product(device, name, product)
    if (name, "bandwidth") not in _measured:
        _measured[name, "bandwidth"] = _copied_a_second(device)
    known = (*dict.fromkeys(wanted), "bandwidth")
    return {k: _measured[name, k] for k in known if _measured[name, k]}


def product_ceiling(device: Device, dtype: str) -> float:
    """FLOP/s of large matrix products of one dtype, a name of `DTYPES`, as `ceilings` measures it;
    0 where the device has no such product."""
    name = device.describe()["device"]
    _measure_product(device, name, PRODUCTS[dtype])
    return _measured[name, PRODUCTS[dtype]]


def _measure_product(device: Device, name: str, product: str) -> None:
    if (name, product) not in _measured:
        _measured[name, product] = _products_a_second(device, product)


def _products_a_second(device: Device, product: str) -> float:
    """FLOP/s of square products, and of ones as 1x1 convolutions, which may come from another
    library; 0 where the device has no such product."""
    dtype = torch.float32 if product == "tf32" else getattr(torch, product)
    with precision("tf32" if product == "tf32" else "fp32", try_algorithms=False):
        try:
            return max(_rate(device, dtype, make) for make in (_matrix_product, _convolution))
        except (RuntimeError, NotImplementedError):
            return 0.0


def _rate(device: Device, dtype: torch.dtype, make: Callable[[torch.Tensor], Any]) -> float:
    """FLOP/s of the largest product that does not take long."""
    rate = 0.0
    for side in _SIDES[device.kind]:
        fn = make(torch.randn(side, side, device=device.kind).to(dtype))
        fn()
        once = device.seconds(fn, 1)
        rate = max(rate, 2 * side**3 / (once if once > _LONG else _best(device, fn)))
        if once > _LONG:
            break
    return rate


def _matrix_product(a: torch.Tensor) -> Callable[[], torch.Tensor]:
    return lambda: torch.mm(a, a)


def _convolution(a: torch.Tensor) -> Callable[[], torch.Tensor]:
    side = len(a)
    image, weight = a.reshape(1, side, side // 32, 32), a[:, :, None, None]
    return lambda: nn.functional.conv2d(image, weight)


def _copied_a_second(device: Device) -> float:
    size = _COPY_BYTES[device.kind]
    source = torch.empty(size // 4, dtype=torch.float32, device=device.kind).fill_(1)
    target = torch.empty_like(source)
    return 2 * size / _best(device, lambda: target.copy_(source))


def _best(device: Device, fn: Callable[[], Any]) -> float:
    fn()
    return min(device.seconds(fn, 2) for _ in range(_TRIES))

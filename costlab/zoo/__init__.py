"""The zoo: one file per architecture family, registered by name. Importing it does not import
torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from .deviation import Deviation


@dataclass(frozen=True)
class Entry:
    """`file` and `factory` in this package, the paper's `input` shape (batch first), its `source`
    and fixed `arguments` of the factory."""

    file: str
    factory: str
    input: tuple[int, ...]
    source: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


_224, _227, _299 = (1, 3, 224, 224), (1, 3, 227, 227), (1, 3, 299, 299)
_GOING, _RETHINKING = (
    "Szegedy et al. 2014, Going Deeper with Convolutions",
    "Szegedy et al. 2015, Rethinking the Inception Architecture",
)
_HE = "He et al. 2015, Deep Residual Learning, Table 1"
_MODELS = {
    "nin": Entry("nin", "nin", _224, "Lin et al. 2013, Network in Network (ImageNet)"),
    "nin_cifar10": Entry(
        "nin", "nin_cifar10", (1, 3, 32, 32), "Lin et al. 2013, Network in Network (CIFAR-10)"
    ),
    "alexnet": Entry(
        "alexnet",
        "alexnet",
        _227,
        "Krizhevsky et al. 2012, ImageNet Classification with Deep CNNs (two towers)",
    ),
    "alexnet_single": Entry(
        "alexnet", "alexnet", _227, "the same layers as one tower", {"groups": 1}
    ),
    "zfnet": Entry(
        "zfnet", "zfnet", _224, "Zeiler, Fergus 2013, Visualizing and Understanding, Figure 3"
    ),
    **{
        f"vgg{d}": Entry(
            "vgg",
            "vgg",
            _224,
            f"Simonyan, Zisserman 2014, Very Deep Networks, Table 1 {c}",
            {"depth": d},
        )
        for d, c in ((11, "A"), (13, "B"), (16, "D"), (19, "E"))
    },
    "googlenet": Entry("googlenet", "googlenet", _224, f"{_GOING}, Table 1"),
    "googlenet_separable": Entry(
        "googlenet",
        "googlenet",
        _224,
        "the same with a separable 7x7 stem, multiplier 8",
        {"separable": True},
    ),
    "googlenet_naive": Entry(
        "googlenet", "googlenet", _224, "the same with naive modules, Figure 2(a)", {"naive": True}
    ),
    "cnds8": Entry(
        "cnds", "cnds8", _227, "Wang et al. 2015, Training Deeper Networks with Deep SuperVision"
    ),
    "bn_inception": Entry(
        "bn_inception", "bn_inception", _224, "Ioffe, Szegedy 2015, Batch Normalization, Figure 5"
    ),
    "inception_v2": Entry(
        "inception",
        "inception_v2",
        _299,
        f"{_RETHINKING}, Table 1; filters of its modules are not printed and assumed after "
        "TF-slim's Inception-v3: Figure 5 64 / 48-64 / 64-96-96 / 64, Figure 6 128, 160, 160, 160, "
        "192 to 192, Figure 7 320 / 384 / 448-384 / 192",
    ),
    "inception_v2_as_drawn": Entry(
        "inception",
        "inception_v2",
        _299,
        f"{_RETHINKING}, Table 1, with the reductions of Figure 10 as drawn (the 1x1 before the "
        "3x3/2 at 35x35: 64 filters assumed); filters as in inception_v2",
        {"as_drawn": True},
    ),
    "inception_v3": Entry("inception", "inception_v3", _299, f"{_RETHINKING}; TF-slim's layers"),
    **{
        f"resnet{d}": Entry("resnet", "resnet", _224, _HE, {"depth": d})
        for d in (18, 34, 50, 101, 152)
    },
    **{
        f"resnet{d}_stride3x3": Entry(
            "resnet", "resnet", _224, f"{_HE}; stride on the 3x3", {"depth": d, "stride_on": "3x3"}
        )
        for d in (50, 101, 152)
    },
}


def names() -> dict[str, str]:
    """Registered names with their source."""
    return {name: entry.source for name, entry in _MODELS.items()}


def input_shape(name: str) -> tuple[int, ...]:
    """The input of the paper, batch first."""
    return _MODELS[name].input


def build(name: str, **arguments: Any) -> nn.Module:
    """Make a registered model on the current default device.

    Raises KeyError for an unknown name."""
    entry = _MODELS[name]
    return getattr(_family(entry), entry.factory)(**{**entry.arguments, **arguments})


def deviations(name: str) -> tuple[Deviation, ...]:
    """The places where a registered model is not what its paper draws.

    Raises KeyError for an unknown name."""
    return getattr(_family(_MODELS[name]), "DEVIATIONS", {}).get(name, ())


def _family(entry: Entry) -> ModuleType:
    return import_module(f"{__name__}.{entry.file}")

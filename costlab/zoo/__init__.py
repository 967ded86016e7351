"""The zoo: one file per architecture family, registered by name."""
from __future__ import annotations

from importlib import import_module

_MODELS = {"googlenet": ("googlenet", "googlenet", (1, 3, 224, 224), "Szegedy et al. 2014, Going Deeper with Convolutions, Table 1")}


def names() -> dict[str, str]:
    """Registered names with their source."""
    return {name: entry[3] for name, entry in _MODELS.items()}


def input_shape(name: str) -> tuple[int, ...]:
    """The input of the paper, batch first."""
    return _MODELS[name][2]


def build(name: str, **arguments):
    """Make a registered model on the current default device. Raises KeyError for an unknown name."""
    module, factory, _, _ = _MODELS[name]
    return getattr(import_module(f"{__name__}.{module}"), factory)(**arguments)

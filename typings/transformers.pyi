"""What costlab uses of transformers, whose own types are in part unknown and take long to read."""

from collections.abc import Container, Mapping
from typing import Any

from torch import nn

__version__: str
CONFIG_MAPPING: Mapping[str, type[PretrainedConfig]]

class PretrainedConfig:
    use_cache: bool
    def __init__(self, **kwargs: object) -> None: ...
    @classmethod
    def from_dict(cls, config_dict: Mapping[str, object]) -> PretrainedConfig: ...

class AutoModel:
    _model_mapping: Container[type[PretrainedConfig]]
    @classmethod
    def from_config(cls, config: PretrainedConfig) -> nn.Module: ...

class AutoModelForMaskedLM(AutoModel): ...

class DynamicCache:
    def __init__(self, config: object) -> None: ...

class TrainerCallback: ...

def __getattr__(name: str) -> Any: ...

from collections.abc import Callable, Iterable
from types import ModuleType

from torch import nn

class Weights:
    transforms: Callable[..., object]

video: ModuleType
optical_flow: ModuleType

def list_models(module: ModuleType | None = ...) -> list[str]: ...
def get_model(name: str, **config: object) -> nn.Module: ...
def get_model_builder(name: str) -> Callable[..., nn.Module]: ...
def get_model_weights(name: str) -> Iterable[Weights]: ...

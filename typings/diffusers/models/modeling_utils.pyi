from collections.abc import Mapping

from torch import nn

class ModelMixin(nn.Module):
    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> nn.Module: ...

"""What costlab uses of torchvision, which has no types."""

from . import models as models

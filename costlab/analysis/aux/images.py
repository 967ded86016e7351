"""Real images for the probe, without a download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Batches = Iterable[tuple[Tensor, Tensor]]

COUNT = 1797  # images that scikit-learn ships
_WHITE = 16  # their largest pixel


@dataclass(frozen=True)
class Images:
    """Labelled images in the range of pixels, 0 to 255, less their mean image, as Caffe feeds them.

    `pixels` is (N, 1, 8, 8) float32, `labels` (N,) int64. They are scaled to `shape`, (c, H, W)."""

    pixels: Tensor
    labels: Tensor
    shape: tuple[int, ...]

    @property
    def deviation(self) -> float:
        """Standard deviation of a pixel."""
        return float(self.pixels.std())

    def batches(self, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches of `size`, in an order that `seed` decides."""
        generator = torch.Generator().manual_seed(seed)
        while True:
            order = torch.randperm(len(self.pixels), generator=generator)
            for chosen in torch.split(order, size):
                if len(chosen) == size:
                    yield self._scaled(chosen), self.labels[chosen]

    def _scaled(self, chosen: Tensor) -> Tensor:
        channels, *grid = self.shape
        x = nn.functional.interpolate(self.pixels[chosen], size=tuple(grid), mode="bilinear")
        return x.expand(-1, channels, -1, -1)


def digits(shape: Sequence[int], classes: int, batch: int) -> Images:
    """scikit-learn's handwritten digits (1,797 real 8x8 images, shipped with the package).

    Args:
        shape: (c, H, W) of the images that the network takes.
        classes: of the network; the digits are its first ten.
        batch: images per batch.

    Raises ImportError without scikit-learn, ValueError for fewer classes than digits, and for a
    batch that there are not enough images for."""
    from sklearn.datasets import load_digits

    if classes < 10:
        raise ValueError(f"the digits have 10 classes, the model {classes}")
    if not 1 <= batch <= COUNT:
        raise ValueError(f"a batch of {batch}: choose 1 to {COUNT}, the number of images")
    data: Any = load_digits()
    pixels = torch.tensor(data.images, dtype=torch.float32)[:, None] * (255 / _WHITE)
    return Images(pixels - pixels.mean(0), torch.tensor(data.target), tuple(shape))

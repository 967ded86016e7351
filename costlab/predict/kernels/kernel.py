"""What every kernel says of itself."""

from __future__ import annotations

import math
from typing import ClassVar


def log(value: float) -> float:
    """The logarithm to the base 2, of sizes that may be 0."""
    return math.log2(max(value, 0.5))


def one_hot(value: str, known: tuple[str, ...]) -> tuple[float, ...]:
    """A flag for each known value; two values lie two doublings apart."""
    return tuple(2**0.5 * (value == name) for name in known)


class Kernel:
    """One call of an operation on a device: what its time depends on, dtype and layout apart.

    Sizes are in elements. `layouts` says whether the order of channels in memory matters to the
    family, beyond what its sizes say."""

    family: ClassVar[str]
    layouts: ClassVar[bool] = False

    @property
    def flops(self) -> float:
        """Floating-point operations, two for each multiply-add."""
        raise NotImplementedError

    @property
    def read(self) -> int:
        """Elements read, weights included."""
        raise NotImplementedError

    @property
    def operands(self) -> int:
        """Elements that are there to be read, whether they are or not."""
        return self.read

    @property
    def written(self) -> int:
        """Elements written."""
        raise NotImplementedError

    @property
    def weights(self) -> int:
        """Elements read that nothing has touched since the last call of the network."""
        return 0

    @property
    def fresh(self) -> int:
        """Elements of memory that a call takes anew for its result."""
        return self.written

    @property
    def reordered(self) -> tuple[int, ...]:
        """Elements of each tensor that a library which wants channels in blocks copies into that
        order, or from it, where channels lie as planes."""
        return ()

    @property
    def products(self) -> tuple[int, int, int, int]:
        """(batch, rows, columns, inner size) of the matrix products that the kernel can be
        written as; all 0 for a kernel without."""
        return 0, 0, 0, 0

    @property
    def features(self) -> tuple[float, ...]:
        """What the times of kernels of the family are compared by: logarithms of sizes to the base
        2, and flags that weigh as much as so many doublings."""
        raise NotImplementedError

    @property
    def relative(self) -> Kernel | None:
        """A kernel of another family that does about as much, for devices on which the family was
        not measured; None for families that always are."""
        return None

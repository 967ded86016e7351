"""A model with other inputs, or with other kernels: built, and to be traced, beside the model as it
is."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._text import brief
from ..sources import Loaded
from ..trace import Trace
from .sweep.sizes import SIZES, require_taken, resizer

if TYPE_CHECKING:
    from torch import nn

_LONGEST = 9  # digits of a size
FORMS = f"{', '.join(f'{name}=N' for name in SIZES)} or kernel=FROM:TO"


@dataclass(frozen=True)
class WhatIf:
    """What is to be otherwise.

    Attributes:
        words: as it was written, such as "batch=8, kernel=5:3".
        sizes: of the inputs, by a name of `SIZES`.
        kernels: side of a square kernel -> the side that it gets.
    """

    words: str
    sizes: Mapping[str, int]
    kernels: Mapping[int, int]

    def of(self, loaded: Loaded) -> Loaded:
        """The model as it would be; `loaded` stays what it is.

        Raises ValueError where the model has no such size or kernel, or where its grids could not
        stay."""
        found = self.resized(loaded)
        if self.kernels:
            model = _with_kernels(loaded.model, self.kernels, loaded.provenance["spec"])
            found = replace(found, model=model)
        if loaded.rebuild is None:
            return found

        def rebuild(device: str) -> Loaded:
            return self.of(loaded.on(device))

        return replace(found, rebuild=rebuild)

    def resized(self, loaded: Loaded) -> Loaded:
        """The model with inputs of the sizes that are asked for, and its own kernels.

        Raises ValueError where no input has such a size."""
        require_taken(loaded, list(self.sizes))
        return loaded.resized(resizer(self.sizes)) if self.sizes else loaded


def what_if(texts: Sequence[str]) -> WhatIf:
    """From texts such as "batch=8" and "kernel=5:3". Raises ValueError for what is none of
    `FORMS`, and for one that is said twice."""
    sizes: dict[str, int] = {}
    kernels: dict[int, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name in sizes or (name == "kernel" and kernels):
            raise ValueError(f"{name} is given twice: {', '.join(texts)}")
        if name == "kernel":
            kernels.update([_kernel(text, value)])
        elif name in SIZES and _is_size(value):
            sizes[name] = int(value)
        else:
            raise ValueError(
                f"cannot read {brief(text)}; write it as {FORMS}, with numbers from 1, of "
                f"{_LONGEST} digits at most"
            )
    if not texts:
        raise ValueError(f"no change is given; write {FORMS}")
    return WhatIf(", ".join(texts), sizes, kernels)


def _is_size(text: str) -> bool:
    """Whether a text is a whole number from 1 that tensors may have as a size."""
    return text.isdecimal() and len(text) <= _LONGEST and int(text) > 0


def _kernel(text: str, value: str) -> tuple[int, int]:
    """FROM:TO as two sides."""
    sides = value.split(":")
    if len(sides) != 2 or not all(map(_is_size, sides)):
        raise ValueError(f"cannot read {brief(text)}; write it as kernel=5:3")
    if sides[0] == sides[1]:
        raise ValueError(f"{text} changes nothing")
    return int(sides[0]), int(sides[1])


def require_same_grids(base: Trace, head: Trace) -> None:
    """Raises ValueError where a convolution of the changed model has another grid than it had."""
    before, after = _grids(base), _grids(head)
    for path, grid in before.items():
        other = after.get(path, grid)
        if grid != other:
            raise ValueError(
                f"with these kernels the grid of {path} would be {_x(other)} instead of {_x(grid)}"
            )


def _grids(trace: Trace) -> dict[str, tuple[int, ...]]:
    """Path of a module -> the grid that its last convolution gives."""
    return {
        op.module: trace.tensors[op.outputs[0]].shape[2:]
        for op in trace.forward
        if op.name == "aten.convolution"
    }


def _x(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _with_kernels(model: nn.Module, kernels: Mapping[int, int], name: str) -> nn.Module:
    """A copy of the model in which each convolution with a square kernel of one side has another
    side, and the padding that leaves its grid as it is."""
    from ..trace.modules import modules_by_path

    changed = copy.deepcopy(model)
    found = 0
    for path, module in modules_by_path(changed):
        side = _side(module)
        if side in kernels:
            _change_kernel(path, module, kernels[side])
            found += 1
    if not found:
        side = next(iter(kernels))
        raise ValueError(f"{name} has no convolution whose kernel is {side} on each side")
    return changed


def _side(module: Any) -> int:
    """The side of a square kernel of a convolution; 0 for anything else."""
    if not _is_convolution(module):
        return 0
    first, *others = module.kernel_size
    return first if all(n == first for n in others) else 0


def _is_convolution(module: object) -> bool:
    from torch import nn

    ordinary = nn.Conv1d, nn.Conv2d, nn.Conv3d
    transposed = nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d
    return isinstance(module, (*ordinary, *transposed))


def _change_kernel(path: str, module: Any, side: int) -> None:
    """Another square kernel, and the padding p' = p - d (k - k') / 2 of each side, with which as
    many places remain: floor((n + 2p - d (k - 1) - 1) / s) + 1 (Dumoulin and Visin 2016, equation
    on dilated convolutions).

    Raises ValueError where that is no padding: half a pixel, or less than none."""
    from torch import nn

    if not isinstance(module._parameters.get("weight"), nn.Parameter):
        raise ValueError(f"the weight of {path} is computed and is not a parameter")
    before = module.kernel_size
    module.weight = nn.Parameter(
        module.weight.detach().new_zeros((*module.weight.shape[:2], *(side for _ in before))),
        requires_grad=module.weight.requires_grad,
    )
    module.kernel_size = tuple(side for _ in before)
    if isinstance(module.padding, str):
        if module.padding == "valid":
            raise ValueError(_without_room(path, before[0], side, "valid"))
        spread = [d * (side - 1) for d in module.dilation]
        edges = [(total // 2, total - total // 2) for total in spread]
    else:
        module.padding = tuple(
            _padding(path, p, d, (k, side), module)
            for p, d, k in zip(module.padding, module.dilation, before, strict=True)
        )
        edges = [(p, p) for p in module.padding]
    module._reversed_padding_repeated_twice = [p for edge in reversed(edges) for p in edge]


def _padding(path: str, padding: int, dilation: int, sides: tuple[int, int], module: Any) -> int:
    """The padding of one dimension for a kernel of the second of two `sides`."""
    before, after = sides
    less, rest = divmod(dilation * (before - after), 2)
    if not rest and padding >= less:
        return padding - less
    if not padding and _pads_itself(module):
        return 0  # by its kernel; `require_same_grids` looks at what comes of it
    raise ValueError(_without_room(path, before, after, padding))


def _pads_itself(module: nn.Module) -> bool:
    """Whether the forward of a convolution is not torch's, as with "same" padding in timm."""
    return not type(module).forward.__module__.startswith("torch.nn.")


def _without_room(path: str, before: int, after: int, padding: int | str) -> str:
    return (
        f"{path} cannot keep its grid: no padding of a kernel of {after} matches padding "
        f"{padding} of a kernel of {before}"
    )

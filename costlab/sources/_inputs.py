"""The grammar of `--input`: tensors by shape, in lists and dicts, beside plain values.

INPUT  = [NAME=] VALUE
VALUE  = TENSOR | LITERAL | "[" VALUE, ... "]" | "(" VALUE, ... ")" | "{" KEY: VALUE, ... "}"
TENSOR = SHAPE [:DTYPE] [FILL]      1x3x224x224, 1x16:int64, and :int64 for a scalar tensor
FILL   = "<" N | "=" N              integers drawn from 0 to N - 1, or N everywhere
LITERAL = True | False | None | 0.5 | 'text' | "=" LITERAL     "=3" is the number, "3" a shape
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._model import Inputs, SourceError, first_line

if TYPE_CHECKING:
    import torch
    from torch import nn

GRAMMAR = "write it as 1x3x224x224, 1x16:int64<32000, name=1x16:int64, [1x8,1x8] or name==3"
_TENSOR = re.compile(r"(?P<shape>\d+(?:x\d+)*)?(?::(?P<dtype>\w+))?(?:(?P<fill>[<=])(?P<n>-?\d+))?")
_KEY = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\"|(\w+))\s*:")
_MOST_BYTES = 2 * 2**30  # of integers, whose values models read
_NAME = re.compile(r"([A-Za-z_]\w*)=")


class _UnreadableError(ValueError):
    pass


def parse(specs: Sequence[str]) -> Inputs:
    """Inputs from their text forms. Raises SourceError for one that cannot be read or made."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for text in specs:
        name = _NAME.match(text)
        try:
            value = _value(text[name.end() :] if name else text)
        except _UnreadableError:
            raise SourceError(f"cannot read input {text!r}; {GRAMMAR}") from None
        except (RuntimeError, TypeError, ValueError, MemoryError, OverflowError) as e:
            words = str(e) if type(e) is ValueError else first_line(e)
            raise SourceError(f"cannot create input {text!r}: {words}") from None
        if name:
            kwargs[name[1]] = value
        else:
            args.append(value)
    return Inputs(tuple(args), kwargs)


def _value(text: str) -> Any:
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        return [_value(v) for v in _split(text[1:-1])]
    if text[:1] == "(" and text[-1:] == ")":
        return tuple(_value(v) for v in _split(text[1:-1]))
    if text[:1] == "{" and text[-1:] == "}":
        return dict(_item(v) for v in _split(text[1:-1]))
    if text[:1] == "=":
        return _literal(text[1:])
    shaped = _TENSOR.fullmatch(text)
    return _tensor(**shaped.groupdict()) if shaped else _literal(text)


def _split(text: str) -> list[str]:
    """The parts of a list between the commas that are in no bracket and no quotes."""
    parts, depth, quote = [""], 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        depth += 0 if quote else (c in "([{") - (c in ")]}")
        if c == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += c
    if depth or quote:
        raise _UnreadableError
    return parts if parts[-1].strip() else parts[:-1]


def _item(text: str) -> tuple[str, Any]:
    key = _KEY.match(text)
    if not key:
        raise _UnreadableError
    return next(k for k in key.groups() if k is not None), _value(text[key.end() :])


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _UnreadableError from None


def _tensor(shape: str | None, dtype: str | None, fill: str | None, n: str | None) -> torch.Tensor:
    import torch

    kind = getattr(torch, dtype or "float32", None)
    if not isinstance(kind, torch.dtype) or str(kind).startswith("torch.q"):
        raise _UnreadableError
    dims = [int(d) for d in shape.split("x")] if shape else []
    if dims and dims[0] == 0:
        raise ValueError("a batch of 0 costs nothing; give at least 1")
    if kind.is_floating_point or kind.is_complex:
        if fill:
            raise _UnreadableError
        return torch.zeros(dims, dtype=kind, device="meta")
    if math.prod(dims) * kind.itemsize > _MOST_BYTES:
        raise ValueError(f"its integers take more than {_MOST_BYTES >> 30} GiB")
    if fill == "<":
        if int(n or 0) < 1:
            raise _UnreadableError
        seeded = torch.Generator().manual_seed(0)
        return torch.randint(int(n or 0), dims, dtype=kind, generator=seeded)
    return torch.full(dims, int(n or 0), dtype=kind)


def resized(inputs: Inputs, shape_of: Callable[[torch.Tensor], Sequence[int]]) -> Inputs:
    """The inputs with the shapes that `shape_of` gives, of as many dimensions as they have.

    Their values go on from the start where there are not enough, so that indices stay valid, masks
    stay masks, and a routing of tokens stays as even as it was. Raises SourceError for a shape that
    no tensor can have."""
    return _mapped(inputs, lambda t: _tiled(t, tuple(shape_of(t))))


def _tiled(tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    if shape == tensor.shape:
        return tensor
    if not tensor.numel():
        return tensor.new_zeros(shape)
    times = [math.ceil(n / old) for n, old in zip(shape, tensor.shape, strict=True)]
    try:
        return tensor.repeat(times)[tuple(map(slice, shape))].contiguous()
    except (RuntimeError, MemoryError) as e:  # more elements than any memory has
        size = "x".join(map(str, shape))
        raise SourceError(f"cannot create an input of {size}: {first_line(e)}") from None


def real(inputs: Inputs) -> Inputs:
    """The inputs on the CPU: floating-point tensors from torch's random state. Raises SourceError
    where there is no memory for them."""
    return _mapped(inputs, lambda t: _drawn(t) if t.is_meta else t)


def _drawn(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    try:
        return torch.randn(tensor.shape, dtype=tensor.dtype)
    except (RuntimeError, MemoryError) as e:  # more than there is, or a dtype that is not drawn
        size = shape_text(tensor.shape)
        raise SourceError(f"cannot create an input of {size}: {first_line(e)}") from None


def _mapped(inputs: Inputs, fn: Callable[[torch.Tensor], torch.Tensor]) -> Inputs:
    import torch
    from torch.utils import _pytree as pytree

    args, kwargs = pytree.tree_map_only(torch.Tensor, fn, (inputs.args, inputs.kwargs))
    return Inputs(args, kwargs)


def shape_text(shape: Sequence[int]) -> str:
    """A shape as it is written in a spec: 1x3x224x224."""
    return "x".join(map(str, shape))


# of what a forward takes, what is not an input
_SWITCHES = ("output_", "return_", "use_", "labels", "cache", "past_")


def taken_by(model: nn.Module) -> str:
    """The names of what a model's forward takes, as a sentence has them; "" for a single one, and
    where it does not say."""
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return ""
    plain = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    names = [name for name in plain if not name.startswith(_SWITCHES)]
    return f"; its forward takes {', '.join(names)}" if len(names) > 1 else ""

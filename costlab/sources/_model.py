"""What a source gives: a model with its inputs, or the graph that a file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .._text import shown
from ..trace import Trace
from ..trace.code_files import users_line
from ..trace.facts import UseFacts

if TYPE_CHECKING:
    import torch
    from torch import nn

_LONG = 240  # characters quoted from the message of another library


class SourceError(ValueError):
    """A model that cannot be found, built or given inputs; the message is one line."""


@dataclass(frozen=True)
class Inputs:
    """What a model is called with: `model(*args, **kwargs)`. Floating-point tensors are on `meta`;
    integer ones are on the CPU, because models read them (masks, lengths)."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.args or self.kwargs)


@dataclass(frozen=True)
class Definition:
    """A model that can be built.

    Args:
        build: makes the model from the arguments that the user gave.
        inputs: the default inputs of a built model; empty where there are none.
        origin: where a built model is from, for the provenance: its paper, or its library.
        scope: entered while the model is built or run; the modules of a user's file resolve in it.
        version: what identifies the code of the model, once it is built.
        reads_values: the model reads values of its own tensors when it runs, so it is built for
            real on the CPU.
        notes: what a reader of a built model's numbers must know.
    """

    build: Callable[..., nn.Module]
    inputs: Callable[[nn.Module], Inputs] = lambda model: Inputs()
    origin: Callable[[nn.Module], str] = lambda model: ""
    scope: Callable[[], AbstractContextManager[Any]] = nullcontext
    version: Callable[[], str] = lambda: ""
    reads_values: bool = False
    notes: Callable[[nn.Module], tuple[str, ...]] = lambda model: ()


@dataclass(frozen=True)
class Recording:
    """A file that holds a graph and no model that runs. `read()` gives its trace, and raises
    SourceError for a file that is none."""

    read: Callable[[], Trace]


@dataclass(frozen=True)
class Source:
    """One way to name a model.

    `form` is how a name is written, for help texts. `accepts(spec)` tells whether a name is of this
    source, and `find(spec)` looks it up. `package` is what has to be installed, and is the name of
    costlab's extra. `code(spec)`: the file or module of a user's own that a name runs, "" where it
    runs none."""

    form: str
    accepts: Callable[[str], bool]
    find: Callable[[str], Definition | Recording]
    package: str = ""
    code: Callable[[str], str] = lambda spec: ""


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode with the inputs to run it on: `model(*inputs, **kwargs)`.

    `provenance` has `spec`, the name that was loaded, `device`, where it was built, and `source`
    where that is known. `version` changes when the model's code does. `notes` are caveats about its
    numbers. `use`: facts of a language model in use (`costlab.sources.phases`), which its trace's
    provenance carries. `scope()` is a context that its code runs in, as a script's imports do.
    `rebuild(device)` builds it again on "meta" or "cpu"; None for an object in memory. `guessed`:
    the inputs are costlab's own guess for such a model."""

    model: nn.Module
    inputs: tuple[Any, ...]
    kwargs: dict[str, Any]
    provenance: Mapping[str, str]
    notes: tuple[str, ...] = ()
    version: str = ""
    use: UseFacts | None = None
    scope: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext, repr=False)
    rebuild: Callable[[str], Loaded] | None = field(default=None, repr=False)
    guessed: bool = False

    def on(self, device: str) -> Loaded:
        """The model on "meta" or "cpu"; itself if it is already there, or cannot be built again.

        Raises SourceError where it cannot be built."""
        if self.rebuild is None or self.provenance["device"] == device:
            return self
        return self.rebuild(device)

    def resized(self, shape_of: Callable[[torch.Tensor], Sequence[int]]) -> Loaded:
        """The same model with inputs of the shapes that `shape_of` gives."""
        from ._inputs import resized

        inputs = resized(Inputs(self.inputs, self.kwargs), shape_of)
        return replace(self, inputs=inputs.args, kwargs=inputs.kwargs)

    def __repr__(self) -> str:
        spec, device = self.provenance["spec"], self.provenance["device"]
        return f"<Loaded {spec!r} on {device}>"


def described(error: BaseException) -> str:
    """An error of somebody else's code, and the line of the user's code where it was raised."""
    line = users_line(error)
    return f"{first_line(error)} ({line})" if line else first_line(error)


def first_line(error: BaseException) -> str:
    """The type and the first line of an error of somebody else's code, with the next one where the
    first ends in a colon and says nothing alone."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    if len(text) > _LONG:
        text = text[:_LONG].rsplit(" ", 1)[0] + " ..."
    return f"{type(error).__name__}: {shown(text)}" if text else type(error).__name__

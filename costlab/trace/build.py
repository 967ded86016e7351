"""Make a model without memory or time for its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from .record import Trace

M = TypeVar("M")  # what a factory makes

LARGEST = 4e9  # bytes of parameters up to which a model is built for real where it has to be
_SMALL = 1 << 16  # elements up to which a constant keeps its values
_CONSTANTS = frozenset(
    (torch.arange, torch.as_tensor, torch.linspace, torch.logspace, torch.tensor)
)
# initialization by torch.nn.init, and the methods that it and models call on weights
_METHODS = "uniform_ normal_ fill_ zero_ copy_ erfinv_ add_ sub_ mul_ div_ clamp_ bernoulli_"
_INITIALIZERS = frozenset(
    [fn for name, fn in vars(nn.init).items() if name.endswith("_") and name[0] != "_"]
    + [getattr(Tensor, name) for name in _METHODS.split()]
)


class _WithoutInitialization(TorchFunctionMode):
    """On `meta` there is nothing to initialize, and asking torch to is most of building a model.

    With `constants`, small tensors whose values the code states (`torch.arange`) stay on the CPU:
    some factories read them, as RegNet's widths. `bytes` is what has been asked for on `meta`."""

    def __init__(self, *, constants: bool):
        super().__init__()
        self._constants = constants
        self.bytes = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given: Mapping[str, Any] = kwargs or {}
        if func in _INITIALIZERS:
            target = args[0] if args else given.get("tensor")  # torch.nn.init names it
            if isinstance(target, Tensor) and target.is_meta:
                return target
        if self._constants and func in _CONSTANTS and given.get("device") is None:
            tensor = func(*args, **{**given, "device": "cpu"})
            return tensor if tensor.numel() <= _SMALL else tensor.to("meta")
        tensor = func(*args, **given)
        if func is torch.empty and tensor.is_meta:
            self.bytes += tensor.numel() * tensor.element_size()
        return tensor


def build_on_meta(factory: Callable[..., M], **kwargs: Any) -> M:
    """`factory(**kwargs)` with every parameter on `meta`, none of them initialized.

    A factory that reads values while it builds is tried again with its constants known. Raises
    whatever the factory raises then."""
    try:
        return _on_meta(_WithoutInitialization(constants=False), factory, kwargs)
    except Exception:  # of the factory's own, or of an operation that needs values
        return _on_meta(_WithoutInitialization(constants=True), factory, kwargs)


def build(factory: Callable[..., M], **kwargs: Any) -> tuple[M, Exception | None]:
    """`factory(**kwargs)` on `meta`, or where that cannot be for real on the CPU, with seed 0.

    Returns the model, and the error that kept it from `meta`, None for none. Raises whatever the
    factory raises on the CPU, or on `meta` where its weights would take more than `LARGEST`."""
    mode = _WithoutInitialization(constants=False)
    try:
        return _on_meta(mode, factory, kwargs), None
    except Exception as e:
        refused = e
    mode_with_constants = _WithoutInitialization(constants=True)
    try:
        return _on_meta(mode_with_constants, factory, kwargs), None
    except Exception:
        if max(mode.bytes, mode_with_constants.bytes) > LARGEST:
            raise
    torch.default_generator.manual_seed(0)
    return factory(**kwargs), refused


def _on_meta(mode: TorchFunctionMode, factory: Callable[..., M], kwargs: Mapping[str, Any]) -> M:
    """What the factory makes on `meta`, under the mode."""
    with torch.device("meta"), mode:
        return factory(**kwargs)


def traced(
    make: Callable[[], nn.Module],
    shape: Sequence[int],
    *,
    spec: str | None = None,
    backward: bool = False,
    train: bool | None = None,
) -> Trace:
    """The trace of what `make()` builds, on `meta`, for a float32 input of `shape`; in evaluation
    mode unless `backward` or `train` says otherwise."""
    from .tracer import trace

    return trace(
        build_on_meta(make).eval(),
        torch.empty(shape, device="meta"),
        device="meta",
        spec=spec,
        backward=backward,
        train=train,
    )

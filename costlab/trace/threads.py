"""Work that a model gives to other threads: torch shows each thread's operations to that thread's
dispatch modes alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class _Notices(TorchDispatchMode):
    """Runs every operation, and gives its name to `notice`."""

    supports_higher_order_operators = True

    def __init__(self, notice: Callable[[str], None]):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self._notice = notice

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # see Recorder
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self._notice(str(getattr(func, "overloadpacket", func)))
        return func(*args, **(kwargs or {}))


def noticed(work: Callable[..., Any], notice: Callable[[str], None]) -> Callable[..., Any]:
    """`work` for another thread, with the name of each of its operations given to `notice`."""

    @functools.wraps(work)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _Notices(notice):
            return work(*args, **kwargs)

    return run
